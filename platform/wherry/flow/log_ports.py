"""What the stories need of the apps' logs. The adapter implements it; tests/contract runs its claims on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from wherry.domain.log import ALL, Entry, Filter, Kept

Lost = Callable[[int], str]
"""The text of the line that stands where so many lines were no longer kept."""


def tail_lost(count: int) -> str:
    return f"Error L11 (Tail buffer overflow) -> This tail missed {count} lines: they are no longer kept."


class AppLogs(Protocol):
    """One log an app: appended by any process, followed by any number of readers; the oldest lines go."""

    def append(self, app_id: int, entries: Sequence[Entry]) -> None:
        """Keeps those whose mark is beyond the last one of their key. Nothing after `remove`. Raises PlatformFault."""

    def mark(self, app_id: int, key: str) -> str:
        """The last mark of an origin; "" when none is known."""

    def read(self, app_id: int, lines: int, wanted: Filter = ALL) -> list[Kept]:
        """The last so many lines that `wanted` takes, oldest first."""

    def last(self, app_id: int) -> int:
        """The number of the newest line; 0 without one."""

    def follow(
        self,
        app_id: int,
        after: int,
        wanted: Filter = ALL,
        idle: float = 5.0,
        lost: Lost = tail_lost,
        eager: bool = False,
    ) -> Iterator[Kept | None]:
        """Every line after number `after` without end; None whenever `idle` seconds passed without one, and with
        `eager` also as soon as there is no more for now. Ends when the log is removed.
        """

    def remove(self, app_id: int) -> None:
        """For good: an app's id is never given again."""

    def position(self, name: str) -> str:
        """How far a writer has read its own source; "" at first."""

    def move(self, name: str, position: str) -> None: ...
