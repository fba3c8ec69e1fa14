"""An address of its own for each process: it survives restarts, so the router's table does too."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

from wherry.runtimes.machine import naming, subnets
from wherry.runtimes.machine.network import Networks


@dataclass(frozen=True, slots=True)
class Place:
    """`network` as Networks names it ("apps-0")."""

    network: str
    address: str


class Addresses:
    """Containers, running or not, hold the address of their label. A place that was given out and is not yet a
    container is kept here until it is released. Another process of ours may still choose the same address at the same
    moment: then the engine refuses to start the second.

    `lock` is held from listing the containers until `reserve` has returned, so that no place falls between.
    """

    def __init__(self, networks: Networks) -> None:
        self.lock = Lock()
        self._networks = networks
        self._promised: dict[Place, str] = {}

    def reserve(self, names: Iterable[str], containers: Iterable[Mapping[str, str]]) -> dict[str, Place]:
        """A place for each process, free among `containers` (the labels of all of this platform) and among what was
        promised, also to itself.
        """
        held: dict[str, set[str]] = {}
        for place in (*self._promised, *filter(None, map(_place, containers))):
            held.setdefault(place.network, set()).add(place.address)
        given = {}
        for name in names:
            network = _with_room(held)
            taken = held.setdefault(network, set())
            address = next(subnets.free_addresses(self._networks.ensure(network), taken, zlib.crc32(name.encode())))
            taken.add(address)
            given[name] = Place(network, address)
            self._promised[given[name]] = name
        return given

    def release(self, names: Iterable[str]) -> None:
        """Their containers exist now, or never will."""
        gone = set(names)
        with self.lock:
            self._promised = {place: name for place, name in self._promised.items() if name not in gone}


def _with_room(held: Mapping[str, set[str]]) -> str:
    number = 0
    while len(held.get(f"apps-{number}", ())) >= subnets.MOST_ON_ONE_BRIDGE:
        number += 1
    return f"apps-{number}"


def _place(labels: Mapping[str, str]) -> Place | None:
    network, address = labels.get(naming.NETWORK), labels.get(naming.ADDRESS)
    return Place(network, address) if network and address else None
