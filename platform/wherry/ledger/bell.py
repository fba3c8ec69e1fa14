"""The bell: tells every process of this machine, and by PostgreSQL every machine, that the ledger has news.

Ringing touches a file; listening watches it by inotify, in one thread for the whole process, which counts the rings.
Who waits compares the count with the one it saw last, so a ring between a look and a wait is never missed.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable
from pathlib import Path

from inotify_simple import INotify, flags

from wherry.domain.errors import PlatformFault
from wherry.ledger.line import Line

log = logging.getLogger(__name__)
_TOUCHED = flags.ATTRIB | flags.MODIFY | flags.DELETE_SELF | flags.MOVE_SELF
_REDIAL_SECONDS = 5


class Bell:
    """`dial` opens a line to the database's own bell, where it has one; None while it does not answer."""

    def __init__(self, folder: Path, dial: Callable[[], Line | None] | None = None) -> None:
        self._path = folder / "ledger.bell"
        self._dial = dial
        self._rung = threading.Condition()
        self._count = 0
        self._thread: threading.Thread | None = None
        self._stop = -1

    def ring(self) -> None:
        """What is told is already kept, so a bell that cannot ring is logged and no more: others look by themselves
        after a while.
        """
        try:
            descriptor = self._open()
            try:
                os.utime(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            log.warning("the bell %s does not ring: %s", self._path, error)
            self._heard()

    def count(self) -> int:
        """How often it was heard. Every ring after this call counts. Raises PlatformFault when nothing can listen."""
        with self._rung:
            if self._thread is None:
                self._listen()
            return self._count

    def wait(self, seen: int, seconds: float) -> int:
        """The count, as soon as it is not `seen`, or after `seconds`."""
        self.count()
        with self._rung:
            self._rung.wait_for(lambda: self._count != seen, timeout=seconds)
            return self._count

    def close(self) -> None:
        with self._rung:
            thread, self._thread = self._thread, None
            if thread is not None:
                os.eventfd_write(self._stop, 1)
        if thread is not None:
            thread.join()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _heard(self) -> None:
        with self._rung:
            self._count += 1
            self._rung.notify_all()

    def _listen(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            watch = INotify()
            self._attach(watch)
            self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        except OSError as error:
            raise PlatformFault(
                "the ledger's bell cannot be watched",
                evidence=[str(error)],
                hint="If too many files are watched here: sysctl fs.inotify.max_user_instances=1024",
            ) from error
        self._thread = threading.Thread(target=self._hear, args=(watch, self._stop), name="ledger bell", daemon=True)
        self._thread.start()

    def _attach(self, watch: INotify) -> None:
        # Again after each event: the file may have been replaced. Watching the same one twice is watching it once.
        os.close(self._open())
        watch.add_watch(self._path, _TOUCHED)

    def _hear(self, watch: INotify, stop: int) -> None:
        line: Line | None = None
        try:
            while True:
                if line is None and self._dial is not None and (line := self._dial()):
                    self._heard()  # whatever was told while there was no line
                if self._pause(watch, stop, line):
                    return
                watch.read(timeout=0)
                self._attach(watch)
                if line is not None and not line.drain():
                    line.close()
                    line = None
                self._heard()
        except Exception:
            log.exception("the ledger's bell is not heard any more; the next wait listens again")
        finally:
            with self._rung:
                if self._thread is threading.current_thread():
                    self._thread = None
            watch.close()
            os.close(stop)
            if line is not None:
                line.close()

    def _pause(self, watch: INotify, stop: int, line: Line | None) -> bool:
        """Until there is something to hear, or a line to be dialled again; True when told to stop."""
        poller = select.poll()
        for descriptor in (watch.fileno(), stop, *([line.fileno()] if line else [])):
            poller.register(descriptor, select.POLLIN)
        ready = poller.poll(_REDIAL_SECONDS * 1000 if self._dial and line is None else None)
        return stop in {descriptor for descriptor, _ in ready}
