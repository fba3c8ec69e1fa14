"""What a file of an app's log holds: one JSON record a line, in ASCII, so that no text inside a line can look like one.

The first record of a file is its header: the number of its first line, and the last mark of each origin before it. So
the newest file alone tells what is kept already.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache

from wherry.domain.log import Entry, Kept, LogLine

SPOIL = b"!\n"
"""After a record that a crash tore: no prefix of one is JSON with this at its end."""


@dataclass(frozen=True, slots=True)
class Header:
    first: int
    marks: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    kept: Kept
    key: str
    mark: str


def header(first: int, marks: dict[str, str]) -> bytes:
    return _encoded({"first": first, "marks": marks})


def record(number: int, entry: Entry) -> bytes:
    line = entry.line
    value: dict[str, object] = {
        "n": number,
        "at": line.at,
        "source": line.source,
        "process": line.process,
        "text": line.text.replace("\n", "\\n"),
    }
    if entry.key:
        value["key"] = entry.key
        if entry.mark != line.at:
            value["mark"] = entry.mark
    return _encoded(value)


@lru_cache(256)  # all readers of one log in one process ask for the same lines at the same time
def parse(raw: bytes) -> Header | Record | None:
    """None for what a crash left."""
    try:
        value = json.loads(raw)
        if "first" in value:
            return Header(int(value["first"]), dict(value["marks"]))
        line = LogLine(value["at"], value["source"], value["process"], value["text"])
        return Record(Kept(int(value["n"]), line), value.get("key", ""), value.get("mark", line.at))
    except (ValueError, TypeError, KeyError):
        return None


def _encoded(value: dict[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"
