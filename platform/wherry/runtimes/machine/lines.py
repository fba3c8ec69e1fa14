"""A container's output as entries of its app's log, with marks by which no line is kept twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from docker.types.daemon import CancellableStream

from wherry.domain.log import APP, Entry, LogLine, message, pieces
from wherry.runtimes.machine import log_records
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.flood import Flood

_BEFORE = timedelta(seconds=1)


def key(container: str) -> str:
    """The origin of a container's lines."""
    return container[:12]


def kept_by_the_engine(container: Mapping[str, Any]) -> bool:
    """False for a one-off whose output goes to its client alone: that is no log. `container`: as the engine shows it."""
    return bool(container["HostConfig"]["LogConfig"]["Type"] != "none")


def open_after(engine: Engine, container: str, mark: str, *, follow: bool) -> CancellableStream[bytes]:
    """The container's output from a moment before `mark` on. Raises docker's errors."""
    return log_records.open_stream(engine, container, follow=follow, tail=None, since=_earlier(mark) if mark else "")


def entries(frames: Iterable[bytes], origin: str, process: str, mark: str, flood: Flood) -> Iterator[Entry]:
    """What came after `mark`, less what `flood` drops."""
    for at, now, piece in marked(log_records.records(frames)):
        if now > mark and flood.takes(at, now, len(piece)):
            yield from flood.told()
            yield Entry(LogLine(at, APP, process, message(piece)), origin, now)
    yield from flood.told()


def marked(records: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, str, bytes]]:
    """(time, mark, piece). The engine writes lines of stdout and stderr down a moment after their time, and so not
    quite in its order; marks grow with each line, and are the same in each reading that begins a second earlier.
    """
    top, again = "", 0
    for at, line in records:
        for piece in pieces(line):
            top, again = (at, 0) if at > top else (top, again + 1)
            yield at, f"{top}/{again:06}" if again else top, piece


def _earlier(mark: str) -> str:
    moment = datetime.fromisoformat(mark[:19] + "+00:00") - _BEFORE
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
