"""Containers that this program is starting or stopping right now: their events are no news to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock


class Ours:
    def __init__(self) -> None:
        self._lock = Lock()
        self._ids: set[str] = set()

    def __contains__(self, container: object) -> bool:
        with self._lock:
            return container in self._ids

    def add(self, container: str) -> None:
        with self._lock:
            self._ids.add(container)

    def discard(self, containers: Iterable[str]) -> None:
        with self._lock:
            self._ids.difference_update(containers)

    @contextmanager
    def during(self, containers: Iterable[str]) -> Iterator[None]:
        ids = list(containers)
        for container in ids:
            self.add(container)
        try:
            yield
        finally:
            self.discard(ids)
