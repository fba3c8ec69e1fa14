"""Which jobs are leased, by a clock that no one can set back.

SQLite's users share one machine, so its monotonic clock counts, named by the machine's boot id: after a reboot no
lease is left, since no worker is. PostgreSQL's users share the server's clock. That one may be stepped: forward ends
leases early, which the fences make harmless; backward would make them long, so a lease that starts in the future has
ended.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import ColumnElement, FromClause, and_, exists, extract, func, literal, not_, select
from sqlalchemy import Float as SqlFloat

from wherry.domain.errors import PlatformFault
from wherry.ledger.tables import jobs


@dataclass(frozen=True, slots=True)
class LeaseClock:
    """`now` in seconds, only to be compared with other times of the clock of that `name`."""

    name: str
    now: ColumnElement[float]

    @classmethod
    def of(cls, dialect: str) -> LeaseClock:
        if dialect == "sqlite":
            return cls(_boot_id(), literal(time.monotonic(), SqlFloat(53)))
        return cls("server", extract("epoch", func.clock_timestamp()).cast(SqlFloat(53)))

    def leased(self, table: FromClause = jobs) -> ColumnElement[bool]:
        lease = table.c
        return and_(
            lease.lease_until.is_not(None),
            lease.lease_clock == self.name,
            lease.lease_until > self.now,
            lease.lease_until - lease.lease_length <= self.now,
        )

    def lane_taken(self) -> ColumnElement[bool]:
        """Another job of the same lane is leased."""
        other = jobs.alias("other")
        return exists(
            select(literal(1)).where(other.c.lane == jobs.c.lane, other.c.id != jobs.c.id, self.leased(other))
        )

    def free(self) -> ColumnElement[bool]:
        return and_(not_(func.coalesce(self.leased(), False)), not_(self.lane_taken()))

    def held(self, job_id: int, fence: int) -> ColumnElement[bool]:
        """The job is still its claimer's. A lease that ended while nobody else wanted the lane is as good as new."""
        return and_(jobs.c.id == job_id, jobs.c.fence == fence, not_(self.lane_taken()))


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError as error:
        raise PlatformFault("this machine does not tell its boot id", evidence=[str(error)]) from error
