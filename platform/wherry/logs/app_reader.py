"""Reads the log of one app: its last lines, and on from any line, across files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from wherry.domain.log import Filter, Kept
from wherry.logs import entries
from wherry.logs.app_files import AppFiles, blocks_backwards

_CHUNK = 64 * 1024


def newest_first(files: AppFiles) -> Iterator[Kept]:
    """Every line, the newest first. A file that is set aside while it is read comes twice."""
    yield from _backwards(files.newest)
    for _, path in reversed(files.older()):  # looked up after the newest was read: so none is missed between
        yield from _backwards(path)


def _backwards(path: Path) -> Iterator[Kept]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # between two files, or the oldest, which just went
    try:
        for raw in blocks_backwards(descriptor, os.fstat(descriptor).st_size):
            found = entries.parse(raw)
            if isinstance(found, entries.Record):
                yield found.kept
    finally:
        os.close(descriptor)


def tail(files: AppFiles, lines: int, wanted: Filter) -> list[Kept]:
    found: list[Kept] = []
    below = None
    if lines > 0:
        for kept in newest_first(files):
            if below is not None and kept.number >= below:
                continue  # its file was set aside while we read: seen already
            below = kept.number
            if wanted.takes(kept.line):
                found.append(kept)
                if len(found) == lines:
                    break
    return found[::-1]


class AppReader:
    """`next`: the number of the line to read next. Close it."""

    def __init__(self, files: AppFiles, following: int) -> None:
        self.next = following
        self.lost = 0
        self._files = files
        self._descriptor = -1
        self._rest = b""

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def fresh(self) -> Iterator[Kept]:
        """What was completed since the last look. `lost` grows by the lines that were gone before they were read."""
        while True:
            if self._descriptor < 0 and not self._open():
                return
            moved = self._moved()
            yield from self._lines()
            if not moved:
                return
            self.close()

    def _moved(self) -> bool:
        """Whether the file is complete. Asked before it is read to its end: nothing is written to it after that."""
        try:
            return self._files.newest.stat().st_ino != os.fstat(self._descriptor).st_ino
        except FileNotFoundError:
            return False  # between two files, or removed

    def _open(self) -> bool:
        found = self._files.open_at(self.next)
        if found is None:
            return False
        self._descriptor, first = found
        self._rest = b""
        if first > self.next:
            self.lost += first - self.next
            self.next = first
        return True

    def _lines(self) -> Iterator[Kept]:
        while chunk := os.read(self._descriptor, _CHUNK):
            *complete, self._rest = (self._rest + chunk).split(b"\n")
            for raw in complete:
                found = entries.parse(raw)
                if isinstance(found, entries.Record) and found.kept.number >= self.next:
                    self.next = found.kept.number + 1
                    yield found.kept
