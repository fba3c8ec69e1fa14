"""Reads the log of one container as it is written, into the collector's mailbox."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Lock, Thread

from docker.errors import NotFound
from docker.types.daemon import CancellableStream

from wherry.domain.errors import PlatformFault
from wherry.domain.log import Entry
from wherry.flow.log_ports import AppLogs
from wherry.runtimes.flood import Flood
from wherry.runtimes.machine import lines
from wherry.runtimes.machine.engine import CLIENT_ERRORS, Engine, close_stream
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.mailbox import Mailbox

log = logging.getLogger(__name__)


class Reader:
    """Of one life of a container: it ends when that does. `before`: the reader of the life before, which goes first.
    `over`: it has ended.
    """

    def __init__(self, engine: Engine, container: str, who: Identity, logs: AppLogs, mailbox: Mailbox) -> None:
        self._engine, self._container, self._who = engine, container, who
        self._logs, self._mailbox = logs, mailbox
        self._lock = Lock()
        self._stream: CancellableStream[bytes] | None = None
        self._stopped = False
        self._last: list[Entry] = []
        self._before: Reader | None = None
        self._thread = Thread(target=self._run, name="log lines", daemon=True)
        self.flood = Flood(who.process, lines.key(container))
        self.over = False

    def start(self, before: Reader | None) -> None:
        if before:
            self._before, self.flood = before, before.flood
        self._thread.start()

    def finish(self, entries: Sequence[Entry]) -> None:
        """What is told of its end comes after its last line."""
        with self._lock:
            if not self.over:
                self._last += entries
                return
        self._mailbox.put(self._who.app_id, entries)

    def tell_dropped(self) -> None:
        """For the thread that empties the mailbox: it must not wait for room in it."""
        self.flood.told(lambda entry: self._mailbox.put(self._who.app_id, [entry], wait=False))

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            stream, before = self._stream, self._before
        if before:
            before.stop()  # the engine may tell of one start twice: then it still reads
        if stream:
            close_stream(stream)

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        if self._before:
            self._before.join()
            self._before = None
        try:
            self._read()
        except NotFound:
            pass  # removed already: what it wrote last was kept by whoever removed it
        except CLIENT_ERRORS as error:
            if not self._stopped:
                log.info("the log of %s: %s", self._who.name, error)
        except PlatformFault as error:
            log.warning("%s", " | ".join(error.lines()))
        finally:
            with self._lock:
                self.over = True
                last, self._last = self._last, []
            self._mailbox.put(self._who.app_id, last)

    def _read(self) -> None:
        if not lines.kept_by_the_engine(self._engine.api.inspect_container(self._container)):
            return
        key, app_id = lines.key(self._container), self._who.app_id
        mark = self._logs.mark(app_id, key)
        stream = lines.open_after(self._engine, self._container, mark, follow=True)
        with self._lock:
            self._stream = stream
            if self._stopped:
                close_stream(stream)
                return
        try:
            for entry in lines.entries(stream, key, self._who.process, mark, self.flood):
                self._mailbox.put(app_id, [entry])
        finally:
            close_stream(stream)
