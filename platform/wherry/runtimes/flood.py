"""How much of one process's output is kept: a bucket of tokens that refills with time. Pure, but for its lock."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from wherry.domain.log import PLATFORM, Entry, LogLine

A_SECOND = 2_000.0
"""Tokens; a line costs one, and one more for each 500 bytes."""

AT_ONCE = 20_000.0


class Flood:
    """`process`: its name; `key`: its origin in the log."""

    def __init__(self, process: str, key: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._process, self._key, self._clock = process, key, clock
        self._lock = Lock()
        self._tokens, self._filled = AT_ONCE, clock()
        self._dropped = 0
        self._since = self._at = self._mark = ""

    def takes(self, at: str, mark: str, size: int) -> bool:
        """Whether a line of that size is kept; else it is counted."""
        cost = 1 + size // 500
        with self._lock:
            now = self._clock()
            self._tokens = min(AT_ONCE, self._tokens + (now - self._filled) * A_SECOND)
            self._filled = now
            # Once it drops, it goes on until a second's worth has come together: not one line here and there.
            if self._tokens >= (A_SECOND if self._dropped else cost):
                self._tokens -= cost
                return True
            self._since = self._since if self._dropped else at
            self._at, self._mark = at, mark
            self._dropped += 1
            return False

    def told(self, put: Callable[[Entry], None] | None = None) -> list[Entry]:
        """The line that says how many were dropped since the last such line; [] for none. `put` is called with it
        before any later line can pass.
        """
        with self._lock:
            if not self._dropped:
                return []
            text = f"Error L10 (output overflow) -> {self._process} writes too much: dropped {self._dropped} lines"
            line = LogLine(self._at, PLATFORM, self._process, f"{text} since {self._since[:19]}Z.")
            entry = Entry(line, self._key, self._mark)
            self._dropped = 0
            if put:
                put(entry)
            return [entry]

    @property
    def drops(self) -> bool:
        return self._dropped > 0
