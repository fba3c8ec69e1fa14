"""The chain of events: each one's hash covers all that it says and the hash of the one before it. Pure.

So none can be changed, left out or put between without breaking every hash after it. The last hash, the head, stands
for the whole history; whoever knows an earlier head can tell whether it was rewritten since.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from wherry.domain.errors import InvalidInput
from wherry.domain.model import Event
from wherry.domain.text import printable

FIRST = "0" * 64
"""What stands in the place of the hash before the first event."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Head:
    """The hash of event `id`, which stands for all events up to it."""

    id: int
    hash: str

    def __str__(self) -> str:
        return f"{self.id}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Break:
    """The first event at which the history is not what it was."""

    id: int
    reason: str


def link(previous: str, event: Event) -> str:
    """SHA-256 of the event's canonical JSON: its values by name, keys sorted, no blanks, the time as microseconds since
    1970 UTC, and the hash before it as "previous".
    """
    said = {
        "id": event.id,
        "at": (event.at - _EPOCH) // timedelta(microseconds=1),
        "actor": event.actor,
        "app": event.app,
        "app_id": event.app_id,
        "action": event.action,
        "before": event.before,
        "after": event.after,
        "origin": event.origin,
        "previous": previous,
    }
    return sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def first_break(previous: str, events: Iterable[Event]) -> Break | None:
    """`events`: the oldest first; `previous`: the hash before them."""
    for event in events:
        if link(previous, event) != event.hash:
            return Break(event.id, "it does not say what was written, or what stood before it is gone")
        previous = event.hash
    return None


def head_of(text: str) -> Head:
    """``ID:HASH``, as `Head` is printed. Raises InvalidInput."""
    match = _HEAD.fullmatch(text)
    if match is None:
        problem = f"head: '{printable(text, 100)}' is not NUMBER:HASH, as wherry audit:verify prints it"
        raise InvalidInput("nothing was verified", problems=[problem])
    return Head(int(match[1]), match[2])
