"""T27: which addresses a tenant's URL may lead to."""

from __future__ import annotations

import pytest
from wherry.domain.public import may_be_reached, networks

PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "192.0.1.1"]
PRIVATE = """
0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.8.8.8 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1
192.168.1.1 198.18.0.1 203.0.113.5 224.0.0.1 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1 fe80::1 fe80::1%eth0 fc00::1
fd12::1 ff02::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 2001:0:7f00:1:0:0:0:0
""".split()


@pytest.mark.parametrize("address", PUBLIC)
def test_t27_public_addresses_may_be_reached(address: str) -> None:
    assert may_be_reached(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_t27_no_private_address_in_whatever_dress_may_be_reached(address: str) -> None:
    assert not may_be_reached(address)


def test_t27_what_the_operator_allows_may_be_reached_and_nothing_beside_it() -> None:
    allowed = networks("10.1.0.0/16 fd12::/16")
    assert [may_be_reached(each, allowed) for each in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1")] == [True] * 3
    assert [may_be_reached(each, allowed) for each in ("10.2.0.1", "127.0.0.1", "fd13::1")] == [False] * 3
