"""Which IP addresses are the public internet's. What tenants name must not lead into the platform's own networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


def may_be_reached(text: str, allowed: Iterable[Network] = ()) -> bool:
    """Public, or in a network that the operator allows. IPv4 addresses inside of IPv6 ones count as themselves."""
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = _inside(address)
    return all(_is_public(each) or any(each in network for network in allowed) for each in inner)


def networks(text: str) -> tuple[Network, ...]:
    """Networks with blanks between. Raises ValueError."""
    return tuple(ipaddress.ip_network(each) for each in text.split())


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified


def _inside(address: Address) -> list[Address]:
    """Every address that a packet to this one may end at."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if address in _NAT64_LOCAL:
        return [ipaddress.IPv4Address(0)]  # no place on the public internet
    if address.sixtofour:
        return [address, address.sixtofour]
    if address.teredo:
        return [address, *address.teredo]
    return [address]
