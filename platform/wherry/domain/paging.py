"""Which part of a long list is wanted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """At most `most` rows by one rising number, or name, of theirs: from `start` on (beyond it with `after`) up to `end`,
    both seen in the order of the list.
    """

    start: int | str | None = None
    end: int | str | None = None
    after: bool = False
    most: int = 200
    descending: bool = False
