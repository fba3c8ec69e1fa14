"""How many requests an account may send: a bucket each that fills steadily, as Heroku's does.

Kept in the memory of each web process, which counts for itself: it is there against a program that runs wild, and no
request should wait for a row of the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from wherry.api.errors import BadRequest

_MOST_ACCOUNTS = 10_000


@dataclass
class Rates:
    """`per_hour`: how many requests a full bucket holds, and how many an hour bring back. `clock`: seconds."""

    per_hour: int
    clock: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock)
    _buckets: dict[int, tuple[float, float]] = field(default_factory=dict)

    def spend(self, account: int) -> int:
        """Takes one request out of the account's bucket; how many are left. Raises BadRequest (429) for none."""
        with self._lock:
            left = self._left(account)
            if left < 1:
                raise BadRequest(
                    f"this account has sent its {self.per_hour} requests of the hour",
                    status=429,
                    retry_after=1 + int((1 - left) * 3600 / self.per_hour),
                )
            if len(self._buckets) >= _MOST_ACCOUNTS:
                self._forget_full_ones()
            self._buckets[account] = (left - 1, self.clock())
            return int(left - 1)

    def left(self, account: int) -> int:
        with self._lock:
            return int(self._left(account))

    def _left(self, account: int) -> float:
        left, at = self._buckets.get(account, (float(self.per_hour), self.clock()))
        return min(float(self.per_hour), left + (self.clock() - at) * self.per_hour / 3600)

    def _forget_full_ones(self) -> None:
        self._buckets = {
            account: bucket for account, bucket in self._buckets.items() if self._left(account) < self.per_hour
        }
