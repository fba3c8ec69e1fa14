"""What the stories of cron need: a calendar, and the part of the ledger that keeps tasks and runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from wherry.domain.cron import CronRun, Due, RunStatus


class Calendar(Protocol):
    def next_after(self, schedule: str, moment: datetime) -> datetime:
        """The first time after `moment` that the schedule is due. Raises InvalidInput."""


class Crons(Protocol):
    def put(self, app_id: int, tasks: Sequence[Due]) -> None:
        """All tasks of the app, in place of those that there were."""

    def of_app(self, app_id: int) -> list[Due]: ...

    def due(self, now: datetime) -> list[Due]:
        """Of all apps, the longest overdue first."""

    def soonest(self) -> datetime | None:
        """When the next task of any app is due."""

    def advance(self, due: Due, next_at: datetime | None) -> None: ...

    def add_run(self, run: CronRun) -> CronRun:
        """With its id."""

    def run(self, run_id: int) -> CronRun:
        """Raises NotFound."""

    def runs(self, app_id: int, limit: int = 50) -> list[CronRun]:
        """Newest first."""

    def last_runs(self, app_id: int) -> dict[int, CronRun]:
        """By the task's number."""

    def unfinished(self, app_id: int, number: int) -> list[CronRun]:
        """Of one task, oldest first."""

    def start(self, run_id: int, now: datetime) -> None: ...

    def finish(
        self, run_id: int, status: RunStatus, now: datetime, exit_code: int | None = None, message: str = ""
    ) -> bool:
        """False when it had ended already."""

    def forget(self, app_id: int, keep: int) -> list[int]:
        """Removes all but the newest runs that have ended; the ids of what was removed."""
