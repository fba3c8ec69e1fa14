"""Entries on their way to the log: bounded, so that a slow disk slows the readers, and the engine keeps what waits."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Condition

from wherry.domain.log import Entry

MOST = 2_000
Batch = dict[int, list[Entry]]


class Mailbox:
    def __init__(self) -> None:
        self._changed = Condition()
        self._batch: Batch = {}
        self._count = 0
        self._closed = False

    def put(self, app_id: int, entries: Sequence[Entry], *, wait: bool = True) -> None:
        """Without `wait` also when it is full. After `close` nothing is taken."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._count < MOST or self._closed)
            if self._closed or not entries:
                return
            self._batch.setdefault(app_id, []).extend(entries)
            self._count += len(entries)
            self._changed.notify_all()

    def take(self, seconds: float | None) -> Batch | None:
        """All that is there, by app; {} when nothing came in `seconds`; None once it is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._count or self._closed, seconds)
            if self._closed and not self._count:
                return None
            batch, self._batch, self._count = self._batch, {}, 0
            self._changed.notify_all()
            return batch

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
