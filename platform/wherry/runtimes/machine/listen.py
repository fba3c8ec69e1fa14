"""On which ports do the programs of a container really listen? For the message of one that does not on $PORT."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path

_LISTEN = "0A"


@dataclass(frozen=True, order=True, slots=True)
class Listener:
    port: int
    address: str

    @property
    def only_inside(self) -> bool:
        """Bound to the loopback address, where nothing outside the container can reach it."""
        address = ip_address(self.address)
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return (mapped or address).is_loopback


def listeners(pid: int) -> list[Listener]:
    """Of the network namespace of `pid`; empty where it is gone or hidden from us."""
    found: set[Listener] = set()
    for table in ("tcp", "tcp6"):
        try:
            found.update(parse(Path(f"/proc/{pid}/net/{table}").read_text()))
        except OSError:
            continue
    return sorted(found)


def parse(table: str) -> list[Listener]:
    """The listening sockets in the text of /proc/net/tcp or tcp6: addresses in hex, 32-bit words in the machine's byte
    order. Docker's own name server, on 127.0.0.11, is no program of the container.
    """
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTEN:
            address, _, port = fields[1].partition(":")
            found.append(Listener(int(port, 16), _address(address)))
    return [each for each in found if each.address != "127.0.0.11"]


def said(port: int, found: list[Listener]) -> str:
    """One line: what it does instead of listening on `port` for others."""
    here = [each for each in found if each.port == port]
    if here and all(each.only_inside for each in here):
        return f"It listens on {here[0].address} only, where nothing outside its container can reach it."
    others = sorted({each.port for each in found if each.port != port})
    if others:
        ports = ", ".join(map(str, others))
        return f"It listens on port {ports} instead." if len(others) == 1 else f"It listens on ports {ports} instead."
    return "It listens on no port."


def _address(text: str) -> str:
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, packed)
