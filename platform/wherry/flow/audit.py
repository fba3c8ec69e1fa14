"""Is the history of changes what it was? Every event against the one before it, and against the heads that were kept
outside the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from wherry.domain.chain import FIRST, Break, Head, first_break
from wherry.domain.paging import Window
from wherry.flow.ledger_ports import Ledger

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Verified:
    """`events` in the ledger, `heads` that were kept outside it; `head` is the newest event's; `broken` where history
    was changed first, None when it is whole.
    """

    events: int
    heads: int
    head: Head | None
    broken: Break | None


@dataclass(frozen=True)
class VerifyEvents:
    ledger: Ledger

    def run(self, known: Head | None = None) -> Verified:
        """`known`: a head that was noted earlier."""
        events, head, broken = self._chain()
        heads, missing = self._heads(known)
        found = [each for each in (broken, missing) if each]
        return Verified(events, heads, head, min(found, key=lambda each: each.id, default=None))

    def _chain(self) -> tuple[int, Head | None, Break | None]:
        """Batch by batch, so that nobody who writes waits. What comes meanwhile is read too."""
        count, broken, head = 0, None, Head(0, FIRST)
        while True:
            with self.ledger.begin(read_only=True) as tx:
                batch = tx.events.page(None, Window(head.id, after=True, most=_AT_ONCE))
            if not batch:
                return count, head if count else None, broken
            broken = broken or first_break(head.hash, batch)
            count, head = count + len(batch), Head(batch[-1].id, batch[-1].hash)

    def _heads(self, known: Head | None) -> tuple[int, Break | None]:
        count, broken = 0, self._missing([known]) if known else None
        for batch in _batches(self.ledger.heads()):
            count += len(batch)
            found = self._missing(batch)
            broken = min(filter(None, (broken, found)), key=lambda each: each.id, default=None)
        return count, broken

    def _missing(self, heads: list[Head]) -> Break | None:
        with self.ledger.begin(read_only=True) as tx:
            hashes = tx.events.hashes([head.id for head in heads])
        for head in sorted(heads, key=lambda each: each.id):
            if head.id not in hashes:
                return Break(head.id, "it was there once, as a head that was kept elsewhere says, and is gone")
            if hashes[head.id] != head.hash:
                return Break(head.id, "it is another one than it was, as a head that was kept elsewhere says")
        return None


def _batches(heads: Iterable[Head]) -> Iterator[list[Head]]:
    each = iter(heads)
    while batch := list(islice(each, _AT_ONCE)):
        yield batch
