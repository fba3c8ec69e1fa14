"""Ports of this machine for what a test starts itself.

A port that the kernel gave once, and that was let go, may be anybody's before it is used: of the other run of tests beside
this one, or of any connection that goes out. So these are from below the range that the kernel gives from, and each run has
a lane of its own, by a name that nobody else can have while the run lives.
"""

from __future__ import annotations

import socket
from functools import cache

_FIRST, _WIDTH, _LANES = 10_000, 500, 40  # 30000 and above are a swarm's


def free_port(*others: str) -> int:
    """One on which nothing listens, on 127.0.0.1, on all addresses and on these `others`; no second call gives it soon."""
    lane = _lane()
    for _ in range(_WIDTH):
        port = lane.next()
        if all(_is_free(address, port) for address in ("127.0.0.1", "", *others)):
            return port
    raise AssertionError(f"no port is free from {lane.first} on")


class _Lane:
    def __init__(self, name: socket.socket, first: int) -> None:
        self.first = first
        self._name, self._given = name, 0

    def next(self) -> int:
        self._given += 1
        return self.first + self._given % _WIDTH


@cache
def _lane() -> _Lane:
    """Held until this process ends: a name without a file (unix(7), abstract) goes with it, however it ends."""
    for number in range(_LANES):
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0wherry-test-ports-{number}")
        except OSError:
            name.close()
        else:
            return _Lane(name, _FIRST + number * _WIDTH)
    raise AssertionError(f"{_LANES} runs of tests at once have all lanes of ports")


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that were closed may linger
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
