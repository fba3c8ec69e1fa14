"""Wakes readers when a file of one folder changes: one inotify and one thread for all of them, while there are any.

Where the folder is shared with other machines, the kernel does not hear of what they write: readers look twice a second.
"""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inotify_simple import INotify, flags

from wherry.domain.errors import PlatformFault
from wherry.logs.remote import is_shared

log = logging.getLogger(__name__)
_LOOK = 500
"""Milliseconds."""
_EACH_READER, _LONGEST = 1, 50
"""Milliseconds that the next look waits for each reader that was woken, and at most: what many read comes to them in
batches when it comes fast, and at once when it does not.
"""

_CHANGED = flags.CREATE | flags.MODIFY | flags.DELETE | flags.MOVED_TO | flags.MOVED_FROM


class Watch:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._readers: dict[str, set[threading.Event]] = {}
        self._stop = -1  # wakes the thread; -1 while there is none

    @contextmanager
    def reader(self, name: str) -> Iterator[threading.Event]:
        """An event that is set whenever the file of that name has changed. Raises PlatformFault."""
        changed = threading.Event()
        with self._lock:
            if self._stop < 0:
                self._start()
            self._readers.setdefault(name, set()).add(changed)
        try:
            yield changed
        finally:
            with self._lock:
                self._leave(name, changed)

    def _leave(self, name: str, changed: threading.Event) -> None:
        readers = self._readers.get(name, set())
        readers.discard(changed)
        if not readers:
            self._readers.pop(name, None)
        if not self._readers and self._stop >= 0:
            os.eventfd_write(self._stop, 1)
            self._stop = -1

    def _start(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            watch = INotify()
            watch.add_watch(self._folder, _CHANGED | flags.ONLYDIR)
            stop = os.eventfd(0, os.EFD_CLOEXEC)
            look = _LOOK if is_shared(self._folder) else None
        except OSError as error:
            raise PlatformFault(
                "the logs cannot be followed",
                evidence=[str(error)],
                hint="If too many files are watched here: sysctl fs.inotify.max_user_instances=1024",
            ) from error
        self._stop = stop
        threading.Thread(target=self._hear, args=(watch, stop, look), name="log watch", daemon=True).start()

    def _hear(self, watch: INotify, stop: int, look: int | None) -> None:
        poller = select.poll()
        poller.register(watch.fileno(), select.POLLIN)
        poller.register(stop, select.POLLIN)
        to_stop = select.poll()
        to_stop.register(stop, select.POLLIN)
        try:
            while stop not in (ready := {descriptor for descriptor, _ in poller.poll(look)}):
                woken = self._tell(watch, everyone=not ready)
                if to_stop.poll(min(woken * _EACH_READER, _LONGEST)):
                    return
        except Exception:
            log.exception("log files are not watched any more; readers look by themselves when idle")
        finally:
            with self._lock:
                if self._stop == stop:
                    self._stop = -1
            watch.close()
            os.close(stop)

    def _tell(self, watch: INotify, *, everyone: bool) -> int:
        """How many readers it wakes."""
        events = list(watch.read(timeout=0))
        # When the kernel had to drop events, everyone looks.
        everyone = everyone or any(event.mask & flags.Q_OVERFLOW for event in events)
        names = {event.name for event in events}
        woken = 0
        with self._lock:
            for name, readers in self._readers.items():
                if everyone or name in names:
                    woken += len(readers)
                    for changed in readers:
                        changed.set()
        return woken
