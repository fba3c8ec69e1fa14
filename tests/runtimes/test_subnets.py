from ipaddress import IPv4Network
from itertools import islice

import pytest
from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.runtimes.machine import naming, subnets

WHOLE = IPv4Network("10.213.0.0/16")
ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


def test_the_first_range_that_nothing_uses_is_taken() -> None:
    assert subnets.choose("", []) == WHOLE
    taken = [IPv4Network("10.213.7.0/24"), IPv4Network("10.214.0.0/15")]
    assert subnets.choose("", taken) == IPv4Network("10.216.0.0/16")


def test_a_range_that_is_in_use_or_no_range_at_all_is_refused_with_the_settings_name() -> None:
    with pytest.raises(PlatformFault, match=r"overlaps 10\.0\.0\.0/8") as caught:
        subnets.choose("", [IPv4Network("10.0.0.0/8")])
    assert "WHERRY_SUBNET" in caught.value.hint
    with pytest.raises(PlatformFault, match=r"192\.168\.0\.0/16 overlaps 192\.168\.1\.0/24"):
        subnets.choose("192.168.0.0/16", [IPv4Network("192.168.1.0/24")])


@pytest.mark.parametrize("text", ["10.0.0.0/8", "10.213.0.1/16", "fd00::/16", "nonsense"])
def test_a_setting_that_is_no_ipv4_16_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="WHERRY_SUBNET"):
        subnets.choose(text, [])


def test_networks_of_a_range_do_not_overlap_and_fit_on_a_bridge() -> None:
    parts = [subnets.for_apps(WHOLE, number) for number in range(63)] + [subnets.for_builds(WHOLE)]
    assert not any(one.overlaps(other) for one in parts for other in parts if one is not other)
    assert all(part.num_addresses - 3 >= subnets.MOST_ON_ONE_BRIDGE for part in parts[:-1])
    assert {subnets.whole_of(part) for part in parts} == {WHOLE}
    with pytest.raises(PlatformFault):
        subnets.for_apps(WHOLE, 63)


def test_free_addresses_leave_out_gateway_broadcast_and_what_is_taken() -> None:
    part = IPv4Network("10.213.0.0/29")
    assert list(subnets.free_addresses(part, ["10.213.0.4"], seed=3)) == [
        "10.213.0.5",
        "10.213.0.6",
        "10.213.0.2",
        "10.213.0.3",
    ]
    assert len(list(islice(subnets.free_addresses(WHOLE, [], 12345), 2000))) == 2000


def test_the_kernels_routes_are_read_without_the_default() -> None:
    assert subnets.routes(ROUTES) == [IPv4Network("192.0.2.0/24"), IPv4Network("172.17.0.0/16")]


def test_bridge_names_fit_and_one_pattern_has_them_all() -> None:
    for network in ("build", "apps-0", "apps-62"):
        name = naming.bridge("a-long-platform-id", network)
        assert len(name) <= 15
        assert name.startswith(naming.every_bridge("a-long-platform-id").removesuffix("+"))
