"""What the story of one-offs needs of a runtime: to run them, with somebody who talks to them or without."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from wherry.domain.one_off import Task


class Channel(StrEnum):
    """Where a one-off wrote something: with a terminal, all is OUT."""

    OUT = "out"
    ERR = "err"


@dataclass(frozen=True, slots=True)
class Ended:
    """`detail` says why, where the code alone does not: ``needs more than its 512 MiB of memory``."""

    code: int
    detail: str = ""


class Session(Protocol):
    """A one-off that somebody talks to. One thread reads its output while another one writes to it."""

    def output(self) -> Iterator[tuple[Channel, bytes]]:
        """What it writes, as it comes, until it ends. Raises PlatformFault when the runtime goes away."""

    def write(self, data: bytes) -> None:
        """To its stdin; what it no longer reads is lost."""

    def end_input(self) -> None: ...

    def resize(self, rows: int, columns: int) -> None: ...

    def signal(self, name: str) -> None:
        """INT, TERM, HUP, …, as kill(1) has them. One that has ended already is fine."""

    def ended(self) -> Ended:
        """Waits for its end, and takes away what is left of it. Raises PlatformFault."""

    def close(self) -> None:
        """Ends it now, the gentle way first, and takes away what is left of it. May be called again, by any thread."""


class Stage(StrEnum):
    MADE = "made"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class TaskState:
    """A one-off as the runtime has it. `since`: when it was made, began, or ended; `ended` once it has."""

    id: int
    app_id: int
    stage: Stage
    since: datetime
    ended: Ended | None = None


class Tasks(Protocol):
    """The part of a Runtime that runs one-offs. They are none of its processes."""

    def launch(self, task: Task) -> None:
        """Starts it, and returns when it runs; what it writes goes to the logs. Raises RolloutFailed for an image that
        cannot be had, and PlatformFault.
        """

    def attach(self, task: Task) -> Session:
        """Starts it for somebody who talks to it; nothing of it goes to the logs. Raises as `launch`."""

    def enter(self, task: Task, process: str) -> Session:
        """Runs it inside a process of the app that is up. Raises NotFound when there is none of that name."""

    def tasks(self, app_id: int | None = None) -> list[TaskState]:
        """Of one app or of all, from the runtime's own records."""

    def end(self, ids: Collection[int]) -> None:
        """Stops those that run and takes away what is left of them; those that are gone are fine."""
