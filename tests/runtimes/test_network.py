import pytest
from docker import APIClient
from docker.types import IPAMConfig, IPAMPool
from wherry.runtimes.machine import naming, subnets
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.network import Networks

from tests.runtimes.tiny import ENGINE

pytestmark = pytest.mark.engine


@pytest.fixture
def networks(platform_id: str) -> Networks:
    return Networks(Engine(ENGINE), platform_id)


def test_a_network_is_made_once_and_found_again_by_another_process_of_ours(
    networks: Networks, platform_id: str, engine_api: APIClient
) -> None:
    part = networks.ensure("apps-0")
    assert Networks(Engine(ENGINE), platform_id).ensure("apps-0") == part
    (made,) = engine_api.networks(filters={"label": f"wherry.platform={platform_id}"})
    assert made["Name"] == f"wherry-{platform_id}-apps-0"
    assert made["Options"] == {
        "com.docker.network.bridge.name": naming.bridge(platform_id, "apps-0"),
        "com.docker.network.bridge.enable_icc": "false",
    }
    networks.remove()
    networks.remove()
    assert engine_api.networks(filters={"label": f"wherry.platform={platform_id}"}) == []


def test_networks_of_one_platform_share_a_range_unless_a_stranger_got_in(
    networks: Networks, other_platform_id: str, engine_api: APIClient
) -> None:
    whole = subnets.whole_of(networks.ensure("build"))
    assert networks.ensure("apps-1") == subnets.for_apps(whole, 1)
    engine_api.create_network(
        f"stranger-{other_platform_id}",
        labels={"wherry.platform": other_platform_id},
        ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(subnets.for_apps(whole, 41)))]),
    )
    assert not networks.ensure("apps-41").overlaps(whole)
