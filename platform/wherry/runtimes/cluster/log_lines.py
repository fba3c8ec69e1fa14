"""The log of a pod as lines, each with its time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from wherry.runtimes.cluster import naming
from wherry.runtimes.cluster.answers import Answer
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.marks import earlier

LONGEST_LINE = 64 * 1024
_LONGEST_STAMP = 40
_CHUNK = 64 * 1024


@contextmanager
def opened(
    client: Client,
    namespace: str,
    pod: str,
    *,
    mark: str = "",
    previous: bool = False,
    follow: bool = True,
    silence: float = 900.0,
    hold: Callable[[Answer], None] = lambda _: None,
) -> Iterator[Iterator[tuple[str, bytes]]]:
    """(time, line), from a moment before `mark` on. `previous`: of the life before the last restart. `silence`: seconds
    after which a quiet stream is given up. `hold` is given the stream, for who wants to end it from another thread.
    Raises NotFound, Refused (it has not begun), PlatformFault.
    """
    query = {
        "container": naming.CONTAINER,
        "timestamps": "true",
        "follow": "true" if follow else "",
        "previous": "true" if previous else "",
        "sinceTime": earlier(mark) if mark else "",
    }
    with client.log(namespace, pod, query, seconds=silence, opened=hold) as pieces:
        yield records(pieces)


def records(chunks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """(time, line without its newline). One that will not end comes in pieces of the same time."""
    rest, at = b"", ""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            at, text = _parted(at, line)
            yield at, text
            at = ""
        if len(rest) > LONGEST_LINE:
            at, text = _parted(at, rest)
            yield at, text
            rest = b""
    if rest:
        yield _parted(at, rest)


def now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


def _parted(begun: str, line: bytes) -> tuple[str, bytes]:
    """`begun`: the time of a line of which this goes on; "" for a new one."""
    if begun:
        return begun, line
    stamp, _, text = line.partition(b" ")
    return normal(stamp[:_LONGEST_STAMP].decode("ascii", "replace")), text


def normal(stamp: str) -> str:
    """UTC with nine digits, so that times can be compared as text. Nodes write their own zone."""
    seconds, point, rest = stamp.partition(".")
    digits = rest.rstrip("Z")
    for sign in "+-":
        digits = digits.partition(sign)[0]
    zone = (rest or seconds[19:])[len(digits) :] if point else seconds[19:]
    try:
        moment = datetime.fromisoformat(seconds[:19] + ("+00:00" if zone in ("", "Z") else zone)).astimezone(UTC)
    except ValueError:
        return now()
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{digits[:9].ljust(9, '0')}Z"
