"""Logs in memory: an adapter of flow.ports.Logs for the stories' tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from threading import Condition


class MemoryLogs:
    def __init__(self) -> None:
        self._changed = Condition()
        self._lines: dict[str, list[str]] = {}
        self._outcomes: dict[str, str] = {}
        self._removed: set[str] = set()
        self._marks: dict[str, str] = {}

    def append(self, stream: str, line: str, mark: str = "") -> None:
        with self._changed:
            if stream not in self._outcomes and (not mark or mark > self._marks.get(stream, "")):
                self._marks[stream] = mark or self._marks.get(stream, "")
                self._lines.setdefault(stream, []).append(line.replace("\n", "\\n"))
                self._removed.discard(stream)
            self._changed.notify_all()

    def mark(self, stream: str) -> str:
        with self._changed:
            return self._marks.get(stream, "")

    def close(self, stream: str, outcome: str) -> None:
        with self._changed:
            self._outcomes.setdefault(stream, outcome)
            self._changed.notify_all()

    def outcome(self, stream: str) -> str | None:
        with self._changed:
            return self._outcomes.get(stream)

    def read(self, stream: str) -> list[str]:
        with self._changed:
            return list(self._lines.get(stream, ()))

    def follow(self, stream: str, idle: float = 5.0) -> Iterator[str | None]:
        seen = 0
        while True:
            with self._changed:
                moved = self._changed.wait_for(partial(self._news, stream, seen), timeout=idle)
                new = self._lines.get(stream, [])[seen:]
                ended = stream in self._outcomes or stream in self._removed
            seen += len(new)
            yield from new
            if ended:
                return
            if not moved:
                yield None

    def remove(self, stream: str) -> None:
        with self._changed:
            if self._lines.pop(stream, None) is not None or stream in self._outcomes:
                self._removed.add(stream)
            self._outcomes.pop(stream, None)
            self._marks.pop(stream, None)
            self._changed.notify_all()

    def _news(self, stream: str, seen: int) -> bool:
        return len(self._lines.get(stream, ())) > seen or stream in self._outcomes or stream in self._removed
