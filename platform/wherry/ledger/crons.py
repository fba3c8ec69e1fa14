"""Cron: the tasks of each app's current release with the time when each is due next, and their runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from wherry.domain.cron import CronRun, CronTask, Due, Policy, RunStatus
from wherry.domain.errors import NotFound, PlatformFault
from wherry.ledger.columns import ID, FreeText, Instant, sought
from wherry.ledger.statements import Statements
from wherry.ledger.tables import metadata

cron_tasks = Table(
    "cron_tasks",
    metadata,
    Column("app_id", ID, ForeignKey("apps.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("command", FreeText, nullable=False),
    Column("schedule", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("next_at", Instant),  # none while it is paused
    Index("ix_cron_tasks_next_at", "next_at"),
)

cron_runs = Table(
    "cron_runs",
    metadata,
    Column("id", ID, primary_key=True),
    Column("app_id", ID, ForeignKey("apps.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("command", FreeText, nullable=False),
    Column("status", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("release", Integer, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("exit_code", Integer),
    Column("message", FreeText, nullable=False),
    Index("ix_cron_runs_app_id_id", "app_id", "id"),
    sqlite_autoincrement=True,
)

_OPEN = cron_runs.c.status.in_([str(status) for status in RunStatus if not status.final])


class SqlCrons:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements
        self.changed = False  # whether those who wait must hear of it

    def put(self, app_id: int, tasks: Sequence[Due]) -> None:
        self._sql.write(delete(cron_tasks).where(cron_tasks.c.app_id == app_id))
        rows = [
            {
                "app_id": app_id,
                "number": each.number,
                "command": each.task.command,
                "schedule": each.task.schedule,
                "policy": str(each.task.policy),
                "paused": each.task.paused,
                "next_at": each.next_at,
            }
            for each in tasks
        ]
        if rows:
            self._sql.write(insert(cron_tasks), rows)
        self.changed = True

    def of_app(self, app_id: int) -> list[Due]:
        return self._dues(select(cron_tasks).where(cron_tasks.c.app_id == app_id).order_by(cron_tasks.c.number))

    def due(self, now: datetime) -> list[Due]:
        return self._dues(select(cron_tasks).where(cron_tasks.c.next_at <= now).order_by(cron_tasks.c.next_at))

    def soonest(self) -> datetime | None:
        row = self._sql.row(
            select(cron_tasks.c.next_at)
            .where(cron_tasks.c.next_at.is_not(None))
            .order_by(cron_tasks.c.next_at)
            .limit(1)
        )
        found: datetime | None = row.next_at if row else None
        return found

    def advance(self, due: Due, next_at: datetime | None) -> None:
        one = (cron_tasks.c.app_id == due.app_id, cron_tasks.c.number == due.number)
        self._sql.write(update(cron_tasks).where(*one).values(next_at=next_at))

    def add_run(self, run: CronRun) -> CronRun:
        values = {
            "app_id": run.app_id,
            "number": run.number,
            "command": run.command,
            "status": str(run.status),
            "due_at": run.due_at,
            "release": run.release,
            "finished_at": run.finished_at,
            "message": run.message,
        }
        row = self._sql.row(insert(cron_runs).values(values).returning(cron_runs))
        if row is None:
            raise PlatformFault("the database did not return the run that was just written")
        return _run(row)

    def run(self, run_id: int) -> CronRun:
        row = self._sql.row(select(cron_runs).where(cron_runs.c.id == sought(run_id)))
        if row is None:
            raise NotFound("no such run of a cron task")
        return _run(row)

    def runs(self, app_id: int, limit: int = 50) -> list[CronRun]:
        query = select(cron_runs).where(cron_runs.c.app_id == app_id).order_by(cron_runs.c.id.desc()).limit(limit)
        return [_run(row) for row in self._sql.rows(query)]

    def last_runs(self, app_id: int) -> dict[int, CronRun]:
        newest = select(func.max(cron_runs.c.id)).where(cron_runs.c.app_id == app_id).group_by(cron_runs.c.number)
        rows = self._sql.rows(select(cron_runs).where(cron_runs.c.id.in_(newest)))
        return {row.number: _run(row) for row in rows}

    def unfinished(self, app_id: int, number: int) -> list[CronRun]:
        one = (cron_runs.c.app_id == app_id, cron_runs.c.number == number)
        return [_run(row) for row in self._sql.rows(select(cron_runs).where(*one, _OPEN).order_by(cron_runs.c.id))]

    def start(self, run_id: int, now: datetime) -> None:
        values = {"status": str(RunStatus.RUNNING), "started_at": now}
        self._sql.write(update(cron_runs).where(cron_runs.c.id == run_id, _OPEN).values(values))

    def finish(
        self, run_id: int, status: RunStatus, now: datetime, exit_code: int | None = None, message: str = ""
    ) -> bool:
        values = {"status": str(status), "finished_at": now, "exit_code": exit_code, "message": message}
        written = self._sql.write(update(cron_runs).where(cron_runs.c.id == run_id, _OPEN).values(values)) == 1
        self.changed = self.changed or written
        return written

    def forget(self, app_id: int, keep: int) -> list[int]:
        newest = select(cron_runs.c.id).where(cron_runs.c.app_id == app_id).order_by(cron_runs.c.id.desc()).limit(keep)
        old = (cron_runs.c.app_id == app_id, cron_runs.c.id.not_in(newest.scalar_subquery()), ~_OPEN)
        rows = self._sql.rows(select(cron_runs.c.id).where(*old))
        if rows:
            self._sql.write(delete(cron_runs).where(cron_runs.c.id.in_([row.id for row in rows])))
        return [row.id for row in rows]

    def _dues(self, query: Select[Any]) -> list[Due]:
        return [
            Due(
                row.app_id,
                row.number,
                CronTask(row.command, row.schedule, Policy(row.policy), bool(row.paused)),
                row.next_at,
            )
            for row in self._sql.rows(query)
        ]


def _run(row: Row[Any]) -> CronRun:
    return CronRun(
        id=row.id,
        app_id=row.app_id,
        number=row.number,
        command=row.command,
        status=RunStatus(row.status),
        due_at=row.due_at,
        release=row.release,
        started_at=row.started_at,
        finished_at=row.finished_at,
        exit_code=row.exit_code,
        message=row.message,
    )
