"""Cron: a task that is due gets a run and a job in one transaction, so nothing runs twice; what was due while the platform
was down is noted, and not made up for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wherry.domain.cron import CronRun, Due, Policy, RunStatus
from wherry.domain.errors import Conflict, InvalidInput, NotFound
from wherry.domain.model import Actor, App, JobKind, Release
from wherry.flow.cron_ports import Calendar
from wherry.flow.lanes import cron_lane, cron_stream
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock, Logs

LATE = timedelta(seconds=90)
"""A run that is later than this is not made up for."""
KEEP = 100
"""Runs of an app that are kept after their end."""


def set_tasks(tx: Transaction, release: Release, calendar: Calendar, now: datetime) -> None:
    """The tasks are those of the release that serves now. One that stays as it was keeps its time."""
    before = {each.number: each for each in tx.crons.of_app(release.app_id)}
    wanted = [
        _settled(Due(release.app_id, number, task, None), before.get(number), calendar, now)
        for number, task in enumerate(release.image.wishes.cron, 1)
    ]
    if wanted or before:
        tx.crons.put(release.app_id, wanted)


def _settled(due: Due, before: Due | None, calendar: Calendar, now: datetime) -> Due:
    if due.task.paused:
        return due
    if before and before.next_at and before.task.schedule == due.task.schedule:
        return Due(due.app_id, due.number, due.task, before.next_at)
    return Due(due.app_id, due.number, due.task, _next(calendar, due, now))


def _next(calendar: Calendar, due: Due, now: datetime) -> datetime | None:
    """A schedule that an earlier version took, and this one does not, is never due."""
    try:
        return calendar.next_after(due.task.schedule, now)
    except InvalidInput:
        return None


@dataclass(frozen=True)
class ScheduleCron:
    """Called by the worker again and again."""

    ledger: Ledger
    logs: Logs
    calendar: Calendar
    clock: Clock

    def run(self) -> float | None:
        """Queues what is due; seconds until something is due again, None while nothing is scheduled."""
        now = self.clock.now()
        with self.ledger.begin(read_only=True) as tx:
            soonest = tx.crons.soonest()
        if soonest is None or soonest > now:
            return (soonest - now).total_seconds() if soonest else None
        gone: list[int] = []
        with self.ledger.begin() as tx:
            found = tx.crons.due(now)
            for due in found:
                self._fire(tx, due, now)
            for app_id in {each.app_id for each in found}:
                gone += tx.crons.forget(app_id, KEEP)
        for run_id in gone:
            self.logs.remove(cron_stream(run_id))
        return 0.0

    def _fire(self, tx: Transaction, due: Due, now: datetime) -> None:
        tx.crons.advance(due, _next(self.calendar, due, now))
        release = tx.releases.current(due.app_id)
        if due.next_at is None or release is None:
            return
        if now - due.next_at > LATE:
            message = "the platform did not run when it was due"
            tx.crons.add_run(_ended(due, due.next_at, RunStatus.MISSED, now, message))
        else:
            queue(tx, due, due.next_at, release, now)


def queue(tx: Transaction, due: Due, at: datetime, release: Release, now: datetime) -> CronRun:
    """A run as its policy says."""
    running = tx.crons.unfinished(due.app_id, due.number)
    if running and due.task.policy is Policy.FORBID:
        return tx.crons.add_run(_ended(due, at, RunStatus.SKIPPED, now, f"{running[0].process} still runs"))
    if due.task.policy is Policy.REPLACE:
        _replace(tx, running, now)
    draft = CronRun(0, due.app_id, due.number, due.task.command, RunStatus.PENDING, at, release.number)
    run = tx.crons.add_run(draft)
    tx.jobs.add(JobKind.CRON, run.id, cron_lane(run.id))
    return run


def _replace(tx: Transaction, running: Sequence[CronRun], now: datetime) -> None:
    """Whoever runs them sees their status and stops."""
    for each in running:
        tx.crons.finish(each.id, RunStatus.REPLACED, now, message="the next run took its place")
        tx.jobs.drop(JobKind.CRON, each.id)


def _ended(due: Due, at: datetime, status: RunStatus, now: datetime, message: str) -> CronRun:
    return CronRun(0, due.app_id, due.number, due.task.command, status, at, finished_at=now, message=message)


@dataclass(frozen=True)
class CronTab:
    """What the doors are given."""

    ledger: Ledger
    clock: Clock

    def tasks(self, app: App) -> list[tuple[Due, CronRun | None]]:
        """Each with its last run."""
        with self.ledger.begin(read_only=True) as tx:
            last = tx.crons.last_runs(app.id)
            return [(each, last.get(each.number)) for each in tx.crons.of_app(app.id)]

    def runs(self, app: App, limit: int) -> list[CronRun]:
        """Newest first."""
        with self.ledger.begin(read_only=True) as tx:
            return tx.crons.runs(app.id, limit)

    def one(self, app: App, run_id: int) -> CronRun:
        """Raises NotFound, the same for missing and another app's."""
        with self.ledger.begin(read_only=True) as tx:
            run = tx.crons.run(run_id)
        if run.app_id != app.id:
            raise NotFound("no such run of a cron task")
        return run

    def stop(self, actor: Actor, app: App, name: str, origin: str = "") -> bool:
        """The run of that process (cron.1017); False when none of that name is under way."""
        now = self.clock.now()
        with self.ledger.begin() as tx:
            run = next((each for each in tx.crons.runs(app.id, KEEP) if each.process == name), None)
            if run is None or not tx.crons.finish(run.id, RunStatus.STOPPED, now, message=f"stopped by {actor.email}"):
                return False
            tx.jobs.drop(JobKind.CRON, run.id)
            tx.events.add(now, actor, app.name, "cron.stop", after={"task": run.number, "run": name}, origin=origin)
        return True

    def run(self, actor: Actor, app: App, number: int, origin: str = "") -> CronRun:
        """Now, whatever its schedule says. Raises NotFound, and Conflict while its policy forbids it."""
        now = self.clock.now()
        with self.ledger.begin() as tx:
            release = tx.releases.current(app.id)
            due = next((each for each in tx.crons.of_app(app.id) if each.number == number), None)
            if release is None or due is None:
                raise NotFound(f"{app.name} has no cron task {number}", hint=f"To see them: wherry cron -a {app.name}")
            running = tx.crons.unfinished(app.id, number)
            if running and due.task.policy is Policy.FORBID:
                raise Conflict(f"{running[0].process} still runs, and the task's policy forbids a second one")
            run = queue(tx, due, now, release, now)
            tx.events.add(now, actor, app.name, "cron.run", after={"task": number, "run": run.process}, origin=origin)
        return run
