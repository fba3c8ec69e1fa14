"""One-offs: one command, run once beside an app's processes, or inside one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from wherry.domain.config import KEY, RESERVED, Config
from wherry.domain.errors import InvalidInput
from wherry.domain.formation import SIZES
from wherry.domain.model import Actor
from wherry.domain.procfile import TYPE
from wherry.domain.secret import Secret
from wherry.domain.text import printable
from wherry.domain.workload import Workload

RUN = "run"
"""The type of a one-off that asks for no other, and so the first half of its name: ``run.4711``."""
NUMBERS = range(1000, 10_000)
"""Above what a formation can number, so that no one-off has the name of a process."""
LONGEST_COMMAND = 32 * 1024
MOST_ENV = 100
PATIENCE = timedelta(seconds=60)
"""How long one waits for its client to come, or, without one, for its start."""

PROCESS = re.compile(rf"({TYPE.pattern})\.([1-9][0-9]{{0,8}})")


@dataclass(frozen=True, slots=True)
class Errand:
    """What somebody asks for. `seconds`: how long it may take; None for as long as the platform lets any. `inside`: the
    process that it runs in; "" for one of its own.
    """

    command: str
    attach: bool = False
    tty: bool = True
    env: Config | None = None
    size: str | None = None
    type: str | None = None
    seconds: int | None = None
    inside: str = ""

    def checked(self, longest: int) -> None:
        """Raises InvalidInput with every fault. `longest`: seconds."""
        problems = [*_command_faults(self.command), *_env_faults(self.env or {})]
        if self.size is not None and self.size.lower() not in SIZES:
            problems.append(f"size: no '{printable(self.size, 60)}' (there are: {', '.join(SIZES)})")
        if self.type is not None and not TYPE.fullmatch(self.type):
            problems.append(f"type: '{printable(self.type, 60)}' is not the name of a process type")
        if self.seconds is not None and not 1 <= self.seconds <= longest:
            problems.append(f"time_to_live: {self.seconds} is not between 1 and {longest} seconds")
        if problems:
            raise InvalidInput("nothing was run", problems=problems)


@dataclass(frozen=True, slots=True)
class OneOff:
    """`release`: the number of the release whose image and config it has. `until`: when it is stopped at the latest.
    `attach`: somebody talks to it, and it ends when they go.
    """

    id: int
    app_id: int
    actor: Actor
    release: int
    type: str
    number: int
    size: str
    command: str
    env: Config
    attach: bool
    tty: bool
    created_at: datetime
    until: datetime
    inside: str = ""

    @property
    def name(self) -> str:
        return f"{self.type}.{self.number}"


@dataclass(frozen=True, slots=True)
class Task:
    """A one-off as a runtime must run it: `workload` has its image, environment, size and start."""

    id: int
    number: int
    workload: Workload
    attach: bool
    tty: bool


def env_of(text: str) -> dict[str, Secret]:
    """``A=1;B=2`` as Heroku's clients write it; a semicolon after a backslash belongs to the value. Raises InvalidInput."""
    found: dict[str, Secret] = {}
    problems = []
    for part in re.split(r"(?<!\\);", text):
        name, equals, value = part.partition("=")
        if not part.strip():
            continue
        if equals:
            found[name.strip()] = Secret(value.replace("\\;", ";"))
        else:
            problems.append(f"'{printable(part, 60)}' is not NAME=VALUE")
    if problems:
        raise InvalidInput("nothing was run", problems=problems)
    return found


def _command_faults(command: str) -> list[str]:
    if not command.strip():
        return ["command: there is none"]
    try:
        size = len(command.encode())
    except UnicodeEncodeError:
        return ["command: it is not Unicode text"]
    if size > LONGEST_COMMAND or "\0" in command:
        return ["command: it has a NUL byte or is longer than 32 KiB"]
    return []


def _env_faults(env: Config) -> list[str]:
    problems = [] if len(env) <= MOST_ENV else [f"env: {len(env)} variables; the most is {MOST_ENV}"]
    for name, value in env.items():
        if not KEY.fullmatch(name):
            problems.append(f"env: '{printable(name, 60)}' is not the name of a variable")
        elif RESERVED.fullmatch(name):
            problems.append(f"env: {name} is set by the platform")
        elif "\0" in value.reveal() or len(value.reveal().encode("utf-8", "surrogatepass")) > LONGEST_COMMAND:
            problems.append(f"env: the value of {name} has a NUL byte or is longer than 32 KiB")
    return problems
