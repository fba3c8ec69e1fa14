"""Reads a file that grows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from wherry.logs import records

_CHUNK = 64 * 1024


class Reader:
    """Opens the file as soon as it is there; OSError passes through."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._rest = b""

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def gone(self) -> bool:
        """The file was there, and has been removed."""
        return self._descriptor >= 0 and os.fstat(self._descriptor).st_nlink == 0

    def fresh(self) -> Iterator[str | records.End]:
        """What was completed since the last look."""
        if self._descriptor < 0:
            try:
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                return
        while chunk := os.read(self._descriptor, _CHUNK):
            # Only \n parts records: a file's other line breaks are inside JSON strings.
            *complete, self._rest = (self._rest + chunk).split(b"\n")
            for raw in complete:
                if (record := records.parse(raw)) is not None:
                    yield record


def tail_of(path: Path) -> bytes:
    """The last bytes of a file, b"" where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return tail(descriptor)
    finally:
        os.close(descriptor)


def tail(descriptor: int) -> bytes:
    return os.pread(descriptor, records.TAIL, max(0, os.fstat(descriptor).st_size - records.TAIL))
