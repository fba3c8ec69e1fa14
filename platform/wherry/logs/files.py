"""Streams as files: appended in whole records, followed as they grow."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.domain.text import printable
from wherry.logs import records
from wherry.logs.reader import Reader, last_mark, mark_of, tail, tail_of
from wherry.logs.watch import Watch

STREAM = re.compile(r"[a-z]{1,20}-[1-9][0-9]{0,18}")
MOST_BYTES = 10 * 1024 * 1024
CUT = "The log is longer than 10 MiB; the rest was not kept."


class FileLogs:
    """The adapter of flow.ports.Logs. Any number of processes may share the folder.

    Every method raises InvalidInput for a stream that is not like ``build-17``, PlatformFault when the disk fails.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._watch = Watch(folder)

    def append(self, stream: str, line: str, mark: str = "") -> None:
        """Nothing is kept after the end, nor beyond 10 MiB, where one note says so."""
        with _translated(stream), self._locked(stream) as descriptor:
            if not mark or mark > last_mark(descriptor):
                _append(descriptor, records.line(datetime.now(UTC), line, mark))

    def mark(self, stream: str) -> str:
        with _translated(stream):
            return mark_of(self._path(stream))

    def close(self, stream: str, outcome: str) -> None:
        with _translated(stream), self._locked(stream) as descriptor:
            _append(descriptor, records.end(outcome))
            os.fsync(descriptor)

    def outcome(self, stream: str) -> str | None:
        with _translated(stream):
            end = records.parse(records.last(tail_of(self._path(stream))))
        return end.outcome if isinstance(end, records.End) else None

    def read(self, stream: str) -> list[str]:
        with _translated(stream), Reader(self._path(stream)) as reader:
            return [record for record in reader.fresh() if isinstance(record, str)]

    def follow(self, stream: str, idle: float = 5.0) -> Iterator[str | None]:
        """A stream without a line yet is waited for; one that is removed ends."""
        path = self._path(stream)
        with _translated(stream), self._watch.reader(path.name) as changed, Reader(path) as reader:
            while True:
                changed.clear()
                for record in reader.fresh():
                    if isinstance(record, records.End):
                        return
                    yield record
                if reader.gone:
                    return
                if not changed.wait(idle):
                    yield None

    def remove(self, stream: str) -> None:
        with _translated(stream):
            self._path(stream).unlink(missing_ok=True)

    def _path(self, stream: str) -> Path:
        if not STREAM.fullmatch(stream):
            raise InvalidInput(f"'{printable(stream, 60)}' is not a log: they are like build-17")
        return self._folder / f"{stream}.jsonl"

    @contextmanager
    def _locked(self, stream: str) -> Iterator[int]:
        """The file, open to append, for one writer at a time: a late worker may still hold it when the next
        begins.
        """
        descriptor = self._open(self._path(stream))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _open(self, path: Path) -> int:
        how = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(path, how, 0o600)
        except FileNotFoundError:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(path, how, 0o600)


def _append(descriptor: int, record: bytes) -> None:
    end = tail(descriptor)
    last = records.last(end)
    if records.is_end(last):
        return
    if not records.is_end(record):
        if records.is_cut(last):
            return
        if os.fstat(descriptor).st_size + len(record) > MOST_BYTES:
            record = records.cut(CUT)
    _write(descriptor, record if not end or end.endswith(b"\n") else records.SPOIL + record)


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


@contextmanager
def _translated(stream: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PlatformFault(f"the log {printable(stream, 60)} cannot be used", evidence=[str(error)]) from error
