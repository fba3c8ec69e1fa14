"""Lines of an app's processes, merged by their time; with `follow`, also of processes that appear later."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from docker.errors import NotFound

from wherry.runtimes.machine import log_records, naming
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.log_follow import Follower
from wherry.runtimes.machine.naming import Identity

Line = tuple[str, str, bytes]
_AT_ONCE = 8


def logs(
    engine: Engine, platform: str, app_id: int, *, follow: bool, lines: int, process: str | None
) -> Iterator[Line | None]:
    """The last `lines` of all processes together, oldest first, and with `follow` what comes after them.

    `process`: a name (``web.1``) or a type (``web``).
    """
    if not follow:
        with engine.doing("read the logs"):
            backlog, _ = _backlog(engine, platform, app_id, lines, process)
        yield from backlog
        return
    filters = naming.of_platform(platform, app_id)
    with engine.doing("follow the logs"), closing(Follower(engine, filters, process)) as follower:
        backlog, seen = _backlog(engine, platform, app_id, lines, process)
        follower.begin(seen)  # before the first line is asked for: a process may be gone by then
        yield from backlog
        while True:
            yield follower.next()


def selected(who: Identity | None, process: str | None) -> bool:
    return who is not None and process in (None, who.process, who.type)


def _backlog(
    engine: Engine, platform: str, app_id: int, lines: int, process: str | None
) -> tuple[list[Line], dict[str, tuple[str, str]]]:
    """The lines; and for each container (process name, time of the last line that was read)."""
    began = log_records.now()
    found = [
        (each["Id"], who.process)
        for each in engine.api.containers(all=True, filters=naming.of_platform(platform, app_id))
        if (who := Identity.of(each["Labels"])) and selected(who, process)
    ]
    with ThreadPoolExecutor(_AT_ONCE, "logs") as pool:
        tails = list(pool.map(lambda each: _tail(engine, each[0], each[1], lines), found))
    merged = list(heapq.merge(*tails, key=lambda line: line[0]))
    seen = {
        container: (name, tail[-1][0] if tail else began) for (container, name), tail in zip(found, tails, strict=True)
    }
    return merged[-lines:] if lines else [], seen


def _tail(engine: Engine, container: str, name: str, lines: int) -> list[Line]:
    try:
        stream = log_records.open_stream(engine, container, follow=False, tail=lines, since="")
        return [(at, name, line) for at, line in log_records.records(stream)]
    except NotFound:
        return []
