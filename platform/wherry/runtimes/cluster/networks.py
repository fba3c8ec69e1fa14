"""Which addresses are public, for the policies of apps and builds. Pure.

All of a family, without what belongs to somebody's own network: their own machine, private and shared ranges, link-local
ones (where clouds keep metadata), ranges for tests between machines, multicast (IANA's special-purpose registries).
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from wherry.runtimes.cluster.kinds import Object

LOCAL_DNS = "169.254.20.10/32"
"""Where the usual cache of name servers on a node listens."""
_NOT_PUBLIC = {
    "0.0.0.0/0": (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
    ),
    "::/0": ("::/127", "64:ff9b::/96", "fc00::/7", "fe80::/10", "ff00::/8"),
}


def public_and(further: Iterable[str]) -> list[Object]:
    """Peers of a NetworkPolicy. `further`: networks that are allowed though they are not public, as 10.0.0.0/8."""
    public = [{"ipBlock": {"cidr": family, "except": list(but)}} for family, but in _NOT_PUBLIC.items()]
    return [*public, *({"ipBlock": {"cidr": str(ip_network(each))}} for each in further)]
