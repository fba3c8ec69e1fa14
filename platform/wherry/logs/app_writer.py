"""Writes the log of one app: numbers its lines, knows what is kept already, begins a new file when one is full."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from wherry.domain.log import Entry
from wherry.logs import entries
from wherry.logs.app_files import AppFiles, first_of

FILES = 8
"""A log is so many files at most, so that a full one loses an eighth of its lines at once, the oldest."""

MOST_MARKS = 500
_PIECE = 256 * 1024


@dataclass
class _Known:
    """What the newest file tells, as far as it was read: `inode` and `size`."""

    inode: int = 0
    size: int = 0
    first: int = 1
    next: int = 1
    marks: dict[str, str] = field(default_factory=dict)

    def take(self, raw: bytes) -> None:
        found = entries.parse(raw)
        if isinstance(found, entries.Header):
            self.first = self.next = found.first
            self.marks = dict(found.marks)
        elif found is not None:
            self.next = found.kept.number + 1
            self.note(found.key, found.mark)

    def note(self, key: str, mark: str) -> None:
        if key:
            self.marks.pop(key, None)
            self.marks[key] = mark  # the newest last


class AppWriter:
    """`most`: bytes of the whole log. One thread at a time; other processes may write to the same log."""

    def __init__(self, files: AppFiles, most: int) -> None:
        self._files = files
        self._most = most
        self._known = _Known()

    def append(self, batch: Sequence[Entry]) -> None:
        with self._files.writing():
            if self._files.removed:
                return
            known = self._caught_up()
            self._known = _Known()  # until all is written: a fault leaves nothing half-known
            self._write(known, batch)
            self._known = known

    def mark(self, key: str) -> str:
        with self._files.writing():
            if self._files.removed:
                return ""
            self._known = self._caught_up()
            return self._known.marks.get(key, "")

    def remove(self) -> None:
        with self._files.writing():
            self._files.remove()

    def _write(self, known: _Known, batch: Sequence[Entry]) -> None:
        descriptor = self._open()
        try:
            piece = bytearray()
            for entry in batch:
                if entry.key and entry.mark <= known.marks.get(entry.key, ""):
                    continue
                piece += entries.record(known.next, entry)
                known.next += 1
                known.note(entry.key, entry.mark)
                if len(piece) >= min(_PIECE, self._most // FILES):
                    descriptor = self._flushed(descriptor, known, bytes(piece))
                    piece.clear()
            if piece:
                descriptor = self._flushed(descriptor, known, bytes(piece))
        finally:
            os.close(descriptor)

    def _flushed(self, descriptor: int, known: _Known, piece: bytes) -> int:
        """The descriptor to go on with."""
        known.size += len(piece)
        while piece:
            piece = piece[os.write(descriptor, piece) :]
        if known.size < self._most // FILES:
            return descriptor
        os.close(descriptor)
        self._files.set_aside(known.first)
        self._files.trim(self._most - self._most // FILES)
        known.first = known.next
        known.marks = dict(list(known.marks.items())[-MOST_MARKS:])
        self._files.begin(known.first, known.marks)
        descriptor = self._open()
        status = os.fstat(descriptor)
        known.inode, known.size = status.st_ino, status.st_size
        return descriptor

    def _open(self) -> int:
        return os.open(self._files.newest, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)

    def _caught_up(self) -> _Known:
        """With what others wrote since, and with a whole last line."""
        if not self._files.newest.exists():
            self._begin_again()
        known = self._known
        with self._files.newest.open("r+b") as file:
            status = os.fstat(file.fileno())
            if (known.inode, known.size) == (status.st_ino, status.st_size):
                return known
            if known.inode != status.st_ino or known.size > status.st_size:
                known = _Known(inode=status.st_ino)
            file.seek(known.size)
            whole = True
            for raw in file:
                whole = raw.endswith(b"\n")
                known.take(raw)
            if not whole:
                file.write(entries.SPOIL)
            known.size = file.tell()
        return known

    def _begin_again(self) -> None:
        """The very first line, or a crash between two files: the last of the older ones tells how to go on."""
        older = self._files.older()
        last = _Known()
        if older:
            with older[-1][1].open("rb") as file:
                for raw in file:
                    last.take(raw)
        self._files.begin(max(last.next, first_of(self._files.newest)), last.marks)
