"""The apps' logs in memory: an adapter of flow.log_ports.AppLogs for the stories' tests. Keeps everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from threading import Condition

from wherry.domain.log import ALL, Entry, Filter, Kept, LogLine, message
from wherry.flow.log_ports import Lost, tail_lost


def entry(process: str, raw: bytes, source: str = "app") -> Entry:
    """A line that a process writes now."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return Entry(LogLine(at, source, process, message(raw)))


class MemoryAppLogs:
    """`idle`: instead of what its readers ask for."""

    def __init__(self, idle: float | None = None) -> None:
        self._idle = idle
        self._changed = Condition()
        self._lines: dict[int, list[Kept]] = {}
        self._marks: dict[tuple[int, str], str] = {}
        self._removed: set[int] = set()
        self._positions: dict[str, str] = {}

    def append(self, app_id: int, entries: Sequence[Entry]) -> None:
        with self._changed:
            if app_id in self._removed:
                return
            lines = self._lines.setdefault(app_id, [])
            for entry in entries:
                if entry.key and entry.mark <= self._marks.get((app_id, entry.key), ""):
                    continue
                self._marks[app_id, entry.key] = entry.mark
                lines.append(Kept(len(lines) + 1, entry.line))
            self._changed.notify_all()

    def mark(self, app_id: int, key: str) -> str:
        with self._changed:
            return "" if app_id in self._removed else self._marks.get((app_id, key), "")

    def read(self, app_id: int, lines: int, wanted: Filter = ALL) -> list[Kept]:
        with self._changed:
            found = [kept for kept in self._lines.get(app_id, ()) if wanted.takes(kept.line)]
        return found[-lines:] if lines else []

    def last(self, app_id: int) -> int:
        with self._changed:
            return len(self._lines.get(app_id, ()))

    def follow(
        self,
        app_id: int,
        after: int,
        wanted: Filter = ALL,
        idle: float = 5.0,
        lost: Lost = tail_lost,
        eager: bool = False,
    ) -> Iterator[Kept | None]:
        seen = min(after, self.last(app_id))
        while True:
            with self._changed:
                news = self._changed.wait_for(partial(self._news, app_id, seen), self._idle or idle)
                fresh = self._lines.get(app_id, [])[seen:]
                removed = app_id in self._removed
            seen += len(fresh)
            yield from (kept for kept in fresh if wanted.takes(kept.line))
            if removed:
                return
            if not news or eager:
                yield None

    def remove(self, app_id: int) -> None:
        with self._changed:
            self._removed.add(app_id)
            self._lines.pop(app_id, None)
            self._changed.notify_all()

    def position(self, name: str) -> str:
        return self._positions.get(name, "")

    def move(self, name: str, position: str) -> None:
        self._positions[name] = position

    def _news(self, app_id: int, seen: int) -> bool:
        return app_id in self._removed or len(self._lines.get(app_id, ())) > seen
