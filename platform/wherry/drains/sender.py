"""Sends one app's log to one receiver, from where it stopped. The log itself is the buffer: what has left it is lost, and
a line says how much.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Protocol

from wherry.domain.drains import Drain, target
from wherry.domain.log import ALL, PLATFORM, Entry, Kept, LogLine
from wherry.domain.text import printable
from wherry.drains.dial import Dialer, Refused
from wherry.drains.follower import Follower
from wherry.drains.https import HttpsSink, Unaccepted
from wherry.drains.syslog import SyslogSink
from wherry.flow.log_ports import AppLogs

MOST = 200
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
_FAULTS = (OSError, http.client.HTTPException, Refused, Unaccepted)
_IDLE = 30.0


class Sink(Protocol):
    def send(self, batch: list[Kept]) -> None: ...

    def close(self) -> None: ...


class Sender(Follower):
    """`first_pause`: seconds before a receiver that failed is tried again; they double up to a minute."""

    def __init__(self, drain: Drain, logs: AppLogs, dialer: Dialer, first_pause: float = FIRST_PAUSE) -> None:
        super().__init__(drain.app_id, logs, f"drain-{drain.id}", drain.token, LONGEST_PAUSE)
        self._drain = drain
        self._first_pause = first_pause
        self._place = target(drain.url.reveal())
        made: type[HttpsSink] | type[SyslogSink] = HttpsSink if self._place.scheme == "https" else SyslogSink
        self._sink: Sink = made(self._place, drain.token, dialer)

    def _follow(self) -> None:
        try:
            with closing(self._batches()) as batches:  # type: ignore[type-var]
                for batch in batches:
                    self._deliver(batch)
        finally:
            self._sink.close()

    def _batches(self) -> Iterator[list[Kept]]:
        after = int(self._logs.position(self._position) or 0)
        lines = self._logs.follow(self._app, after, ALL, _IDLE, self._lost, eager=True)
        batch: list[Kept] = []
        with closing(lines) as following:  # type: ignore[type-var]
            for kept in following:
                if kept:
                    batch.append(kept)
                if batch and (kept is None or len(batch) == MOST):
                    yield batch
                    batch = []
                if self._stop.is_set():
                    return

    def _deliver(self, batch: list[Kept]) -> None:
        """Until it is accepted, or we are told to stop."""
        pause, told = self._first_pause, False
        while not self._stop.is_set():
            try:
                self._sink.send(batch)
            except _FAULTS as error:
                if not told:
                    self._tell(error)
                    told = True
                self._stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self._logs.move(self._position, str(batch[-1].number))
                return

    def _tell(self, error: Exception) -> None:
        reason = printable(str(error) or type(error).__name__, 200)
        text = f"Drain {self._drain.token} to {self._place.place} fails: {reason}. Its lines wait."
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
        self._logs.append(self._app, [Entry(LogLine(at, PLATFORM, "logplex", text))])

    def _lost(self, count: int) -> str:
        return f"Error L10 (Drain buffer overflow) -> drain {self._drain.token} dropped {count} lines: they are no longer kept."
