"""Where the logs of apps lie: ``ID.jsonl`` is written to; the files before it lie in the folder ``ID``, each named by the
number of its first line. OSError passes through.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wherry.logs import entries

_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class AppFiles:
    """`folder`: of all apps."""

    folder: Path
    app_id: int

    @property
    def newest(self) -> Path:
        return self.folder / f"{self.app_id}.jsonl"

    @property
    def _older(self) -> Path:
        return self.folder / str(self.app_id)

    @property
    def removed(self) -> bool:
        return (self._older / "removed").exists()

    def older(self) -> list[tuple[int, Path]]:
        """(number of its first line, path), in their order."""
        if not self._older.is_dir():
            return []
        return sorted((int(path.stem), path) for path in self._older.glob("[0-9]*.jsonl"))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One writer at a time, of all processes; readers that look for a file wait too."""
        lock = self._lock()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def open_at(self, number: int) -> tuple[int, int] | None:
        """The file that line `number` is in, or will be: its descriptor, and the number of its first line. The oldest
        when that line is gone; None without any.
        """
        if not self._older.is_dir():
            return None
        lock = self._lock()
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            return self._found(number)
        finally:
            os.close(lock)

    def _found(self, number: int) -> tuple[int, int] | None:
        older = self.older()
        first = first_of(self.newest)
        if first and (number >= first or not older):
            return os.open(self.newest, os.O_RDONLY | _FLAGS), first
        for start, path in reversed(older):
            if start <= number or path == older[0][1]:
                return os.open(path, os.O_RDONLY | _FLAGS), start
        return None

    def begin(self, first: int, marks: dict[str, str]) -> None:
        """A new file to write to. Only inside `writing`."""
        self._older.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._older / "next"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _FLAGS, 0o600)
        try:
            os.write(descriptor, entries.header(first, marks))
        finally:
            os.close(descriptor)
        draft.replace(self.newest)

    def set_aside(self, first: int) -> None:
        self.newest.replace(self._older / f"{first:016}.jsonl")

    def trim(self, most: int) -> None:
        """Removes the oldest files until those before the newest hold `most` bytes."""
        sizes = [(path, path.stat().st_size) for _, path in self.older()]
        total = sum(size for _, size in sizes)
        for path, size in sizes:
            if total <= most:
                return
            path.unlink()
            total -= size

    def remove(self) -> None:
        """Leaves a mark, so that a late writer makes nothing anew. Only inside `writing`."""
        (self._older / "removed").touch()
        for _, path in self.older():
            path.unlink()
        self.newest.unlink(missing_ok=True)

    def _lock(self) -> int:
        path = self._older / "lock"
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)
        except FileNotFoundError:
            self._older.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)


def first_of(path: Path) -> int:
    """The number of a file's first line; 0 for no file."""
    try:
        with path.open("rb") as file:
            head = entries.parse(file.readline())
    except FileNotFoundError:
        return 0
    return head.first if isinstance(head, entries.Header) else 0


def blocks_backwards(descriptor: int, end: int, size: int = 64 * 1024) -> Iterator[bytes]:
    """The whole lines of a file's first `end` bytes, without their newline, the last one first."""
    rest = b""
    while end:
        start = max(0, end - size)
        block = os.pread(descriptor, end - start, start) + rest
        rest, *whole = block.split(b"\n") if start else [b"", *block.split(b"\n")]
        yield from (line for line in reversed(whole) if line)
        end = start
