"""What a log file holds: one JSON record a line, in ASCII, so that no text inside a line can look like a record.

A line is {"at": time, "line": text}, and {…, "mark": text} where it has one; {"cut": text} stands where the log grew
too long; {"end": outcome} is the last.
What a crash tore is spoiled by the next writer and skipped by every reader.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

SPOIL = b"!\n"
"""After a torn record: no prefix of one is JSON with this at its end."""

TAIL = 4096
"""Ends and cuts are shorter than this many bytes."""

_LONGEST_OUTCOME = 200
_MARK = re.compile(rb'", "mark": "([!#-\[\]-~]{1,100})"}\n')  # unescaped quotes: never inside a string


@dataclass(frozen=True, slots=True)
class End:
    outcome: str


def line(at: datetime, text: str, mark: str = "") -> bytes:
    """A line break inside is kept as the two characters \\n, so that whoever prints a line prints one."""
    record = {"at": at.isoformat(timespec="milliseconds"), "line": text.replace("\n", "\\n")}
    return _record({**record, "mark": mark} if mark else record)


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


def last_mark(tail: bytes) -> str:
    """The mark of the last whole line in the final bytes of a file that has one."""
    found = _MARK.findall(tail)
    return found[-1].decode() if found else ""


def is_end(record: bytes) -> bool:
    return record.startswith(b'{"end":')


def is_cut(record: bytes) -> bool:
    return record.startswith(b'{"cut":')


def _record(value: dict[str, str]) -> bytes:
    return json.dumps(value).encode("ascii") + b"\n"
