"""Cron: commands of an app that run on a schedule, as one-offs with the current release (app.json, `cron`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from wherry.domain.procfile import LONGEST_COMMAND
from wherry.domain.reading import Reading

TYPE = "cron"
"""What stands before the point in the name of a run's process: ``cron.1017``."""
FIRST_NUMBER = 1000
"""Added to a run's id: no process of a formation has such a number."""
_MOST = 50
_KNOWN = frozenset({"command", "schedule", "maintenance", "concurrency_policy"})
_FIELD = r"[0-9A-Za-z*/,#-]{1,100}"
_SCHEDULE = re.compile(rf"{_FIELD}(?: +{_FIELD}){{4}}")


class Policy(StrEnum):
    """What becomes of a run that is due while an earlier one of its task still runs: both run; the new one is left out;
    the old one is stopped.
    """

    ALLOW = "allow"
    FORBID = "forbid"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class CronTask:
    """`schedule`: five fields, in UTC. `paused`: it runs only when it is asked for by hand."""

    command: str
    schedule: str
    policy: Policy = Policy.ALLOW
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """One task of an app as it stands in the ledger: `number` counts from 1 in the file's order. `next_at`: None while it
    is paused.
    """

    app_id: int
    number: int
    task: CronTask
    next_at: datetime | None


class RunStatus(StrEnum):
    """PENDING and RUNNING end as one of the others. MISSED: the platform was down when it was due; SKIPPED: an earlier run
    was still there, and the policy is forbid; REPLACED: stopped by the next run; STOPPED: by a person.
    """

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    MISSED = "missed"
    SKIPPED = "skipped"
    REPLACED = "replaced"
    STOPPED = "stopped"

    @property
    def final(self) -> bool:
        return self not in (RunStatus.PENDING, RunStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class CronRun:
    """`exit_code` where it ran to its end; `message` says why it failed otherwise."""

    id: int
    app_id: int
    number: int
    command: str
    status: RunStatus
    due_at: datetime
    release: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    message: str = field(default="")

    @property
    def process(self) -> str:
        return f"{TYPE}.{FIRST_NUMBER + self.id}"


def read(reading: Reading, value: object) -> tuple[CronTask, ...]:
    found = []
    for place, each in enumerate(reading.items(value, "cron", _MOST)):
        where = f"cron[{place}]"
        task = reading.mapping(each, where)
        reading.only(task, _KNOWN, where)
        command = reading.text(task.get("command"), f"{where}.command", LONGEST_COMMAND) or ""
        if not command.strip():
            reading.fault(f"{where}.command", "there is none")
        schedule = " ".join((reading.text(task.get("schedule"), f"{where}.schedule", 600) or "").split())
        if not _SCHEDULE.fullmatch(schedule):
            reading.fault(f"{where}.schedule", "must have five fields, as in '*/10 * * * *'")
        policy = task.get("concurrency_policy", "allow")
        if policy not in list(Policy):
            reading.fault(f"{where}.concurrency_policy", f"there are: {', '.join(Policy)}")
            policy = "allow"
        paused = reading.flag(task.get("maintenance"), f"{where}.maintenance", False)
        found.append(CronTask(command, schedule, Policy(str(policy)), paused))
    return tuple(found)


def write(task: CronTask) -> dict[str, object]:
    """What `read` reads again."""
    return {
        "command": task.command,
        "schedule": task.schedule,
        "concurrency_policy": str(task.policy),
        "maintenance": task.paused,
    }
