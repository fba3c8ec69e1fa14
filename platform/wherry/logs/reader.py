"""Reads a file that grows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from wherry.logs import records

_CHUNK = 64 * 1024
T = TypeVar("T")


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
    return _look(path, tail, b"")


def mark_of(path: Path) -> str:
    return _look(path, last_mark, "")


def _look(path: Path, at: Callable[[int], T], nothing: T) -> T:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return nothing
    try:
        return at(descriptor)
    finally:
        os.close(descriptor)


def tail(descriptor: int, most: int = records.TAIL) -> bytes:
    return os.pread(descriptor, most, max(0, os.fstat(descriptor).st_size - most))


def last_mark(descriptor: int) -> str:
    """Of the last line that has one; mostly that is the last line, else further back is looked."""
    size, most = os.fstat(descriptor).st_size, records.TAIL
    while not (found := records.last_mark(tail(descriptor, most))) and most < size:
        most *= 8
    return found
