"""Failed logins: who guesses is made to wait, where they come from; nobody else is."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from threading import Lock

from wherry.domain.errors import TooManyTries

FREE = 10
LONGEST = 60.0
FORGOTTEN = 15 * 60.0
MOST_PLACES = 10_000
MOST_KNOWN = 10_000


@dataclass
class Attempts:
    """From one address (of IPv6: one /64), `FREE` failures cost nothing; each further one a wait that doubles, up to
    `LONGEST` seconds, in which no secret from there is even looked up. A secret that was right before passes all the
    same, so that a guesser locks no owner out; other addresses are not touched.

    Kept in the memory of each web process, bounded: a guess of 256 bits cannot succeed, and this only keeps the
    guessing cheap for us. `clock`: seconds.
    """

    clock: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock)
    _places: OrderedDict[str, tuple[int, float, float]] = field(default_factory=OrderedDict)
    _known: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def check(self, whence: str, digest: str) -> None:
        """Before a secret is looked up. Raises TooManyTries."""
        with self._lock:
            until = self._places.get(_place(whence), (0, 0.0, 0.0))[1]
            wait = until - self.clock()
            if wait > 0 and digest not in self._known:
                raise TooManyTries(
                    "too many logins from your address have failed", retry_after=int(wait) + 1, hint="Wait a little."
                )

    def failed(self, whence: str) -> None:
        place, now = _place(whence), self.clock()
        with self._lock:
            count, _, last = self._places.pop(place, (0, 0.0, now))
            count = 1 if now - last > FORGOTTEN else count + 1
            wait = min(LONGEST, 2.0 ** min(count - FREE, 10)) if count >= FREE else 0.0
            self._places[place] = (count, now + wait, now)
            while len(self._places) > MOST_PLACES:
                self._places.popitem(last=False)

    def told(self, whence: str, digest: str, right: bool) -> None:
        """How it ended."""
        if right:
            self.passed(digest)
        else:
            self.failed(whence)

    def passed(self, digest: str) -> None:
        with self._lock:
            self._known[digest] = None
            self._known.move_to_end(digest)
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)


def _place(whence: str) -> str:
    try:
        address = ip_address(whence.partition("%")[0])
    except ValueError:
        return whence
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else address.exploded[:19]
    return str(address)
