"""Marks of lines in the order in which they were written, by which no line is kept twice. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from wherry.domain.log import pieces

_BEFORE = timedelta(seconds=1)
_OUTPUT = re.compile(r"([0-9]{6,})/([^/]+)/(.+)")


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


class Output:
    """What one container, or pod, prints, among those that print into one log in turn: whatever their clocks say, the marks
    of each are beyond those of the one before. `origin`: its id. `heard`: the last mark in that log. `after`: the mark,
    within what this one prints, of the last line that the log has; "" for none.
    """

    def __init__(self, origin: str, heard: str) -> None:
        found = _OUTPUT.fullmatch(heard)
        number, before, at = (int(found[1]), found[2], found[3]) if found else (0, "", "")
        is_same = before == origin
        self._place = f"{number if is_same else number + 1:06}/{origin}"
        self.after = at if is_same else ""

    def rest(self, records: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """(mark, piece) of what comes after; `records` may begin earlier."""
        for _, mark, piece in marked(records):
            if mark > self.after:
                yield f"{self._place}/{mark}", piece
