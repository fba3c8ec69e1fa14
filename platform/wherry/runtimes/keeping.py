"""Writes what readers of output put into the mailbox into the apps' logs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Protocol

from wherry.domain.errors import PlatformFault
from wherry.domain.log import PLATFORM, Entry, LogLine
from wherry.flow.log_ports import AppLogs
from wherry.runtimes.mailbox import Mailbox

log = logging.getLogger(__name__)
_TELL_DROPPED = 5.0
_AGAIN = 1.0
_TRIES = 60


class Floods(Protocol):
    def tell_dropped(self) -> None: ...


class Keeper:
    """`floods`: the readers that drop lines just now. `stop`: nothing is tried again from then on."""

    def __init__(self, logs: AppLogs, mailbox: Mailbox, floods: Callable[[], Sequence[Floods]], stop: Event) -> None:
        self._logs, self._mailbox, self._floods, self._stop = logs, mailbox, floods, stop
        self._lost: dict[int, int] = {}

    def run(self) -> None:
        """Until the mailbox is closed and empty."""
        told = time.monotonic()
        while (batch := self._mailbox.take(_TELL_DROPPED if self._floods() else None)) is not None:
            for app_id, entries in batch.items():
                self._keep(app_id, entries)
            if time.monotonic() - told >= _TELL_DROPPED:
                told = time.monotonic()
                for reader in self._floods():
                    reader.tell_dropped()

    def _keep(self, app_id: int, entries: list[Entry]) -> None:
        """While the disk refuses, everything waits, and the runtime keeps it; for a minute, then a gap is marked."""
        for _ in range(_TRIES):
            try:
                self._logs.append(app_id, [*self._gap(app_id, entries[0]), *entries])
            except PlatformFault as error:
                log.warning("%s", " | ".join(error.lines()))
                if self._stop.wait(_AGAIN):
                    return  # nothing of it is marked as kept: the next collector reads it again
            else:
                self._lost.pop(app_id, None)
                return
        self._lost[app_id] = self._lost.get(app_id, 0) + len(entries)

    def _gap(self, app_id: int, before: Entry) -> list[Entry]:
        if app_id not in self._lost:
            return []
        text = f"Error L13 (Local delivery error) -> {self._lost[app_id]} lines could not be kept."
        return [Entry(LogLine(before.line.at, PLATFORM, "logplex", text))]
