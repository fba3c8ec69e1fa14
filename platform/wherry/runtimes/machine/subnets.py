"""Which addresses our containers get: one /16 a platform, cut into networks. Pure.

Docker's own pools end at about 31 networks, and a bridge takes at most 1,023 ports, so each network for apps is a /22
and the last /24 of the range belongs to builds.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, ip_network

from wherry.domain.errors import InvalidInput, PlatformFault

RANGES = tuple(IPv4Network(f"10.{second}.0.0/16") for second in range(213, 232))
MOST_ON_ONE_BRIDGE = 1000


def choose(wanted: str, taken: Iterable[IPv4Network]) -> IPv4Network:
    """The platform's /16: `wanted` if it is set, else the first of RANGES that overlaps nothing in `taken`.

    Raises InvalidInput when `wanted` is not an IPv4 /16, PlatformFault when there is no room.
    """
    used = list(taken)
    candidates = (_parse(wanted),) if wanted else RANGES
    for candidate in candidates:
        if not any(candidate.overlaps(each) for each in used):
            return candidate
    clash = next(each for each in used if candidates[0].overlaps(each))
    raise PlatformFault(
        f"no free /16 for containers: {candidates[0]} overlaps {clash}, which this machine uses already",
        hint="Set WHERRY_SUBNET to a free IPv4 /16.",
    )


def _parse(text: str) -> IPv4Network:
    try:
        network = ip_network(text)
    except ValueError:
        network = None
    if not isinstance(network, IPv4Network) or network.prefixlen != 16:
        raise InvalidInput(f"WHERRY_SUBNET: '{text}' is not an IPv4 /16, as in 10.213.0.0/16")
    return network


def for_builds(whole: IPv4Network) -> IPv4Network:
    return list(whole.subnets(new_prefix=24))[-1]


def for_apps(whole: IPv4Network, number: int) -> IPv4Network:
    """The network with that number, from 0 to 62. Raises PlatformFault beyond."""
    parts = list(whole.subnets(new_prefix=22))[:-1]
    if number >= len(parts):
        raise PlatformFault(f"all {len(parts) * MOST_ON_ONE_BRIDGE} addresses of {whole} are in use")
    return parts[number]


def whole_of(part: IPv4Network) -> IPv4Network:
    return part.supernet(new_prefix=16)


def gateway(network: IPv4Network) -> IPv4Address:
    return network.network_address + 1


def free_addresses(network: IPv4Network, taken: Iterable[str], seed: int) -> Iterator[str]:
    """Addresses that are not `taken`, beginning at a place that `seed` chooses.

    A seed by name keeps two callers apart that look at the same moment, and an address that was just freed from being
    used again while a proxy may still hold connections to it.
    """
    used = set(taken)
    first, count = int(network.network_address) + 2, network.num_addresses - 3
    for step in range(count):
        address = str(IPv4Address(first + (seed + step) % count))
        if address not in used:
            yield address


def routes(table: str) -> list[IPv4Network]:
    """The networks of Linux's /proc/net/route (addresses in hex, the machine's byte order), default route left out."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        destination, mask = (socket.inet_ntoa(struct.pack("=I", int(fields[place], 16))) for place in (1, 7))
        if mask != "0.0.0.0":  # noqa: S104 - the mask of the default route, not a bind
            found.append(IPv4Network(f"{destination}/{mask}"))
    return found
