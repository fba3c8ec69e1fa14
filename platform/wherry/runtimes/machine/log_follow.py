"""Follows the logs of containers, those that are there and those that come: a thread each, one mailbox for all."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from threading import Condition, Thread, current_thread
from typing import Any

from docker.types.daemon import CancellableStream

from wherry.domain.errors import PlatformFault
from wherry.runtimes.machine import log_records
from wherry.runtimes.machine.engine import CLIENT_ERRORS, HINT, Engine, close_stream
from wherry.runtimes.machine.naming import Identity

Line = tuple[str, str, bytes]

IDLE = 5.0
_MOST_WAITING = 1000


class Follower:
    """`filters`: of the app's containers. From its making on, no start of a process is missed; `close` ends all."""

    def __init__(self, engine: Engine, filters: dict[str, list[str]], process: str | None) -> None:
        self._engine = engine
        self._process = process
        self._changed = Condition()
        self._lines: deque[Line] = deque()
        self._over = False
        self._cut = False
        self._streams: dict[str, CancellableStream[bytes]] = {}
        self._seen: dict[str, tuple[str, str]] = {}
        self._readers: dict[str, Thread] = {}
        self._listener: Thread | None = None
        starts = {**filters, "type": ["container"], "event": ["start"]}
        self._events = engine.api.events(since=int(time.time()), filters=starts, decode=True)

    def begin(self, seen: Mapping[str, tuple[str, str]]) -> None:
        """`seen`: containers as (process name, time of the last line that is known already)."""
        with self._changed:
            self._seen.update(seen)
            for container in seen:
                self._attend(container)
            self._listener = Thread(target=self._hear, name="log events", daemon=True)
            self._listener.start()

    def next(self) -> Line | None:
        """The next line; None when none came for IDLE seconds. Raises PlatformFault when the engine is gone."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._cut, IDLE)
            if self._lines:
                self._changed.notify_all()
                return self._lines.popleft()
            if self._cut:
                raise PlatformFault(f"the Docker Engine at {self._engine.url} went away", hint=HINT)
            return None

    def close(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()
            streams = list(self._streams.values())
            threads = [*self._readers.values(), *([self._listener] if self._listener else [])]
        for stream in streams:
            close_stream(stream)
        close_stream(self._events)
        for thread in threads:
            thread.join()

    def _attend(self, container: str) -> None:
        """Reads on where an earlier reader of the same container (before it was started again) ends."""
        before = self._readers.get(container)
        self._readers[container] = Thread(target=self._read, args=(container, before), name="log lines", daemon=True)
        self._readers[container].start()

    def _read(self, container: str, before: Thread | None) -> None:
        if before:
            before.join()
        name, last = self._seen[container]
        try:
            stream = log_records.open_stream(self._engine, container, follow=True, tail=None, since=last)
            if not self._register(container, stream):
                return
            for at, line in log_records.records(stream):
                if at > last:
                    self._put((at, name, line))
                    last = at
        except CLIENT_ERRORS:
            return  # the container or the engine is gone, or we closed: the listener knows which
        finally:
            self._finished(container, name, last)

    def _register(self, container: str, stream: CancellableStream[bytes]) -> bool:
        with self._changed:
            self._streams[container] = stream
            over = self._over
        if over:
            close_stream(stream)
        return not over

    def _put(self, line: Line) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._lines) < _MOST_WAITING or self._over)
            if not self._over:
                self._lines.append(line)
                self._changed.notify_all()

    def _finished(self, container: str, name: str, last: str) -> None:
        with self._changed:
            self._seen[container] = (name, last)
            self._streams.pop(container, None)
            if self._readers.get(container) is current_thread():
                del self._readers[container]

    def _hear(self) -> None:
        try:
            for event in self._events:
                self._started(event)
        except CLIENT_ERRORS:
            pass  # told below
        with self._changed:
            self._cut = True
            self._changed.notify_all()

    def _started(self, event: Mapping[str, Any]) -> None:
        who = Identity.of(event["Actor"]["Attributes"])
        if who is None or self._process not in (None, who.process, who.type):
            return
        with self._changed:
            if not self._over:
                self._seen.setdefault(event["id"], (who.process, ""))
                self._attend(event["id"])
