"""What a log file holds: one JSON record a line, in ASCII, so that no text inside a line can look like a record.

A line is {"at": time, "line": text}; {"cut": text} stands where the log grew too long; {"end": outcome} is the last.
What a crash tore is spoiled by the next writer and skipped by every reader.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

SPOIL = b"!\n"
"""After a torn record: no prefix of one is JSON with this at its end."""

TAIL = 4096
"""Ends and cuts are shorter than this many bytes."""

_LONGEST_OUTCOME = 200


@dataclass(frozen=True, slots=True)
class End:
    outcome: str


def line(at: datetime, text: str) -> bytes:
    """A line break inside is kept as the two characters \\n, so that whoever prints a line prints one."""
    return _record({"at": at.isoformat(timespec="milliseconds"), "line": text.replace("\n", "\\n")})


def cut(text: str) -> bytes:
    return _record({"cut": text})


def end(outcome: str) -> bytes:
    return _record({"end": outcome[:_LONGEST_OUTCOME]})


def parse(raw: bytes) -> str | End | None:
    """A line's text, the end, or None for what a crash left."""
    try:
        record = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    if "end" in record:
        return End(str(record["end"]))
    text = record.get("line", record.get("cut"))
    return text if isinstance(text, str) else None


def last(tail: bytes) -> bytes:
    """The last record in the final bytes of a file; b"" when it is torn, or longer than they are."""
    if not tail.endswith(b"\n"):
        return b""
    start = tail.rfind(b"\n", 0, len(tail) - 1) + 1
    return tail[start:-1] if start or len(tail) < TAIL else b""


def is_end(record: bytes) -> bool:
    return record.startswith(b'{"end":')


def is_cut(record: bytes) -> bool:
    return record.startswith(b'{"cut":')


def _record(value: dict[str, str]) -> bytes:
    return json.dumps(value).encode("ascii") + b"\n"
