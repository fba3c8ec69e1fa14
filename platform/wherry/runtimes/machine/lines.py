"""A container's output as entries of its app's log, with marks by which no line is kept twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from docker.types.daemon import CancellableStream

from wherry.domain.log import APP, Entry, LogLine, message
from wherry.runtimes.flood import Flood
from wherry.runtimes.machine import log_records
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.marks import earlier, marked


def key(container: str) -> str:
    """The origin of a container's lines."""
    return container[:12]


def kept_by_the_engine(container: Mapping[str, Any]) -> bool:
    """False for a one-off whose output goes to its client alone: that is no log. `container`: as the engine shows it."""
    return bool(container["HostConfig"]["LogConfig"]["Type"] != "none")


def open_after(engine: Engine, container: str, mark: str, *, follow: bool) -> CancellableStream[bytes]:
    """The container's output from a moment before `mark` on. Raises docker's errors."""
    return log_records.open_stream(engine, container, follow=follow, tail=None, since=earlier(mark) if mark else "")


def entries(frames: Iterable[bytes], origin: str, process: str, mark: str, flood: Flood) -> Iterator[Entry]:
    """What came after `mark`, less what `flood` drops."""
    for at, now, piece in marked(log_records.records(frames)):
        if now > mark and flood.takes(at, now, len(piece)):
            yield from flood.told()
            yield Entry(LogLine(at, APP, process, message(piece)), origin, now)
    yield from flood.told()
