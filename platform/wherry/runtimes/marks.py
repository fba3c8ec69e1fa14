"""Marks of lines in the order in which they were written, by which no line is kept twice. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from wherry.domain.log import pieces

_BEFORE = timedelta(seconds=1)


def marked(records: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, str, bytes]]:
    """(time, mark, piece). A runtime writes lines of stdout and stderr down a moment after their time, and so not quite in
    its order; marks grow with each line, and are the same in each reading that begins a second earlier.
    """
    top, again = "", 0
    for at, line in records:
        for piece in pieces(line):
            top, again = (at, 0) if at > top else (top, again + 1)
            yield at, f"{top}/{again:06}" if again else top, piece


def earlier(mark: str) -> str:
    """A moment before: nine digits of a second, UTC."""
    moment = datetime.fromisoformat(mark[:19] + "+00:00") - _BEFORE
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
