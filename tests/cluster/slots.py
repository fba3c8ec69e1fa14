"""Which of the few places for clusters on this machine is ours: a number, its lock, its folder and its addresses.

The lock is a file that the first process of the cluster's namespaces keeps open: a place is taken for exactly as long as
its cluster lives, whoever started it and however that one ended.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import ClusterFailed

# Neither below /run, /var/lib nor /var/log, which the cluster has for itself.
BASE = Path("/var/cache/wherry-test-cluster")
COUNT = 32


@dataclass(frozen=True)
class Slot:
    number: int
    lock: int  # an open file descriptor

    @property
    def name(self) -> str:
        """Of its control groups and of its firewall rules."""
        return f"wherry-test-{self.number}"

    @property
    def state(self) -> Path:
        return BASE / str(self.number)

    @property
    def link(self) -> str:
        """The host's end of the cable."""
        return f"wktest{self.number}"

    @property
    def host(self) -> str:
        """From the range that RFC 2544 keeps for tests."""
        return f"198.18.{self.number}.1"

    @property
    def node(self) -> str:
        return f"198.18.{self.number}.2"

    @property
    def network(self) -> str:
        return f"198.18.{self.number}.0/30"

    def leave(self) -> None:
        os.close(self.lock)


def take() -> Slot:
    """The first free place, locked."""
    for number in range(COUNT):
        if slot := lock(number):
            return slot
    raise ClusterFailed(f"All {COUNT} places for clusters are taken; see {BASE}")


def lock(number: int) -> Slot | None:
    """None when its cluster lives."""
    descriptor = os.open(_lock_file(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Slot(number, descriptor)


def used() -> list[int]:
    """The places where a cluster lives, or left something."""
    return sorted(int(each.name) for each in BASE.glob("*") if each.name.isdigit())


def await_free(numbers: list[int]) -> None:
    """Until the first processes of these places have ended."""
    for number in numbers:
        with _lock_file(number).open() as waiting:
            fcntl.flock(waiting, fcntl.LOCK_EX)


def _lock_file(number: int) -> Path:
    folder = BASE / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / str(number)
