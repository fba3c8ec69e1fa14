"""The engine's log stream of one container as lines. Pure, but for the one call that opens it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from docker.types.daemon import CancellableStream

from wherry.runtimes.machine.engine import Engine

LONGEST_LINE = 64 * 1024


def open_stream(
    engine: Engine, container: str, *, follow: bool, tail: int | None, since: str
) -> CancellableStream[bytes]:
    """`since`: a time as the engine writes it; whole seconds are asked for, so earlier lines may come too."""
    stream: CancellableStream[bytes] = engine.api.logs(
        container,
        stream=True,
        follow=follow,
        timestamps=True,
        tail="all" if tail is None else tail,
        since=int(datetime.fromisoformat(since[:19] + "+00:00").timestamp()) if since else None,
    )
    return stream


def records(frames: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """(time, line without its newline). A frame is one message: its time, a space, and at most 16 KiB of a line; the
    pieces of a long line have one time. What a process wrote last, without a newline, is a line.
    """
    began, line = "", b""
    for frame in frames:
        stamp, _, text = frame.partition(b" ")
        at = stamp.decode("ascii", "replace")
        if began and at != began:
            yield began, line
            line = b""
        began = at
        line += text
        if line.endswith(b"\n") or len(line) >= LONGEST_LINE:
            yield began, line.removesuffix(b"\n")
            began, line = "", b""
    if began:
        yield began, line
