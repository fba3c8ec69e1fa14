"""The logs of apps as files: the adapter of flow.log_ports.AppLogs. Any number of processes may share the folder."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock

from wherry.domain.errors import PlatformFault
from wherry.domain.log import ALL, PLATFORM, Entry, Filter, Kept, LogLine
from wherry.flow.log_ports import Lost, tail_lost
from wherry.logs.app_files import AppFiles
from wherry.logs.app_reader import AppReader, tail
from wherry.logs.app_writer import AppWriter
from wherry.logs.watch import Watch

MEBIBYTE = 1024 * 1024


class FileAppLogs:
    """`most`: bytes that each app's log may have. Every method raises PlatformFault when the disk fails."""

    def __init__(self, folder: Path, most: int = 20 * MEBIBYTE) -> None:
        self._folder = folder
        self._most = most
        self._watch = Watch(folder)
        self._lock = Lock()
        self._writers: dict[int, tuple[Lock, AppWriter]] = {}

    def append(self, app_id: int, entries: Sequence[Entry]) -> None:
        if entries:
            with _translated(app_id), self._writer(app_id) as writer:
                writer.append(entries)

    def mark(self, app_id: int, key: str) -> str:
        with _translated(app_id), self._writer(app_id) as writer:
            return writer.mark(key)

    def read(self, app_id: int, lines: int, wanted: Filter = ALL) -> list[Kept]:
        with _translated(app_id):
            return tail(self._files(app_id), lines, wanted)

    def last(self, app_id: int) -> int:
        newest = self.read(app_id, 1)
        return newest[0].number if newest else 0

    def follow(
        self,
        app_id: int,
        after: int,
        wanted: Filter = ALL,
        idle: float = 5.0,
        lost: Lost = tail_lost,
        eager: bool = False,
    ) -> Iterator[Kept | None]:
        files = self._files(app_id)
        with (
            _translated(app_id),
            self._watch.reader(files.newest.name) as changed,
            closing(AppReader(files, min(after, self.last(app_id)) + 1)) as reader,
        ):
            quiet = time.monotonic()
            while True:
                changed.clear()
                for kept in reader.fresh():
                    if reader.lost:
                        yield _gap(kept, lost(reader.lost))
                        reader.lost = 0
                    if wanted.takes(kept.line):
                        yield kept
                        quiet = time.monotonic()
                if files.removed:
                    return
                if eager:
                    yield None
                left = quiet + idle - time.monotonic()
                if left <= 0 or not changed.wait(left):
                    yield None
                    quiet = time.monotonic()

    def remove(self, app_id: int) -> None:
        with _translated(app_id), self._writer(app_id) as writer:
            writer.remove()

    def position(self, name: str) -> str:
        with _translated(name):
            try:
                return (self._folder / f"{name}.position").read_text()
            except FileNotFoundError:
                return ""

    def move(self, name: str, position: str) -> None:
        with _translated(name):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._folder / f".{name}.position"
            draft.write_text(position)
            draft.replace(self._folder / f"{name}.position")

    def _files(self, app_id: int) -> AppFiles:
        return AppFiles(self._folder, app_id)

    @contextmanager
    def _writer(self, app_id: int) -> Iterator[AppWriter]:
        with self._lock:
            if app_id not in self._writers:
                self._writers[app_id] = (Lock(), AppWriter(self._files(app_id), self._most))
            turn, writer = self._writers[app_id]
        with turn:
            yield writer


def _gap(following: Kept, text: str) -> Kept:
    return Kept(following.number - 1, LogLine(following.line.at, PLATFORM, "logplex", text))


@contextmanager
def _translated(what: int | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PlatformFault(f"the log of app {what} cannot be used", evidence=[str(error)]) from error
