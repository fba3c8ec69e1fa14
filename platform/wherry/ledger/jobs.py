"""Jobs: added once, claimed by one worker at a time, finished by the newest claimer only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, insert, select, update

from wherry.domain.errors import Conflict, PlatformFault
from wherry.domain.model import Job, JobKind
from wherry.ledger.leases import LeaseClock
from wherry.ledger.statements import Statements
from wherry.ledger.tables import jobs

_COLUMNS = (jobs.c.id, jobs.c.kind, jobs.c.subject, jobs.c.lane, jobs.c.attempt, jobs.c.fence, jobs.c.faults)
_RENEW_BELOW = 0.75


def never_claimed() -> ColumnElement[bool]:
    return and_(jobs.c.attempt == 0, jobs.c.lease_until.is_(None))


class SqlJobs:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements
        self.changed = False  # whether those who wait must hear of it

    def add(self, kind: JobKind, subject: int, lane: str) -> Job:
        """Only a job that nobody ever claimed stands for a new one: another may have looked at the world already."""
        same = (jobs.c.kind == kind, jobs.c.subject == subject, jobs.c.lane == lane, never_claimed())
        row = self._sql.row(select(*_COLUMNS).where(*same).order_by(jobs.c.id).limit(1))
        if row is None:
            values = {"kind": str(kind), "subject": subject, "lane": lane}
            row = self._sql.row(insert(jobs).values(values).returning(*_COLUMNS))
            self.changed = True
        return _job(row)

    def finish(self, job: Job) -> None:
        if not self._sql.write(delete(jobs).where(self._clock().held(job.id, job.fence))):
            raise _late(job)
        self.changed = True

    def fault(self, job: Job) -> None:
        ours = self._clock().held(job.id, job.fence)
        if not self._sql.write(update(jobs).where(ours).values({"faults": jobs.c.faults + 1})):
            raise _late(job)

    def drop(self, kind: JobKind, subject: int) -> None:
        if self._sql.write(delete(jobs).where(jobs.c.kind == kind, jobs.c.subject == subject, never_claimed())):
            self.changed = True

    def waiting(self) -> list[Job]:
        """Those of a kind that only a newer version knows are its own to see to."""
        known = jobs.c.kind.in_([str(kind) for kind in JobKind])
        return [_job(row) for row in self._sql.rows(select(*_COLUMNS).where(known).order_by(jobs.c.id))]

    def claim(self, worker: str, kinds: Sequence[JobKind], seconds: float) -> Job | None:
        clock = self._clock()
        wanted = jobs.c.kind.in_([str(kind) for kind in kinds])
        free = self._sql.row(select(jobs.c.id).where(wanted, clock.free()).order_by(jobs.c.id).limit(1))
        if free is None:
            return None
        lease = {
            "worker": worker,
            "attempt": jobs.c.attempt + 1,
            "fence": jobs.c.fence + 1,
            "lease_clock": clock.name,
            "lease_until": clock.now + seconds,
            "lease_length": seconds,
        }
        return _job(self._sql.row(update(jobs).where(jobs.c.id == free.id).values(lease).returning(*_COLUMNS)))

    def renew(self, job: Job, seconds: float) -> bool:
        clock = self._clock()
        ours = clock.held(job.id, job.fence)
        fresh = and_(clock.leased(), jobs.c.lease_until - clock.now > seconds * _RENEW_BELOW)
        row = self._sql.row(select(fresh.label("fresh")).select_from(jobs).where(ours))
        if row is None or row.fresh:  # a lease that has just begun is not worth a disk's sync
            return row is not None
        lease = {"lease_clock": clock.name, "lease_until": clock.now + seconds, "lease_length": seconds}
        return self._sql.write(update(jobs).where(ours).values(lease)) == 1

    def free(self, worker: str) -> None:
        """The fence grows, so that the earlier life, should it still breathe, is refused."""
        freed = {"worker": None, "lease_until": None, "fence": jobs.c.fence + 1}
        if self._sql.write(update(jobs).where(jobs.c.worker == worker).values(freed)):
            self.changed = True

    def _clock(self) -> LeaseClock:
        return LeaseClock.of(self._sql.dialect)


def _job(row: Row[Any] | None) -> Job:
    if row is None:
        raise PlatformFault("the database did not return the job that was just written")
    return Job(row.id, JobKind(row.kind), row.subject, row.lane, row.attempt, row.fence, row.faults)


def _late(job: Job) -> Conflict:
    return Conflict(f"{job.kind} {job.subject} is another worker's now: this result is refused")
