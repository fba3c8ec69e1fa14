"""What the platform says of a process, in Heroku's words, from the engine's events. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from wherry.domain.formation import RELEASE
from wherry.domain.log import PLATFORM, Entry, LogLine
from wherry.domain.text import printable
from wherry.runtimes.machine import naming
from wherry.runtimes.machine.naming import Identity

STARTING, UP, STOPPING, CRASHED = "starting", "up", "stopping", "crashed"
ACTIONS = ["start", "update", "kill", "die", "oom", "destroy"]
_ONCE = (RELEASE, "run")
_SIGTERM, _SIGKILL = "15", "9"
_LATE = "Error R12 (Exit timeout) -> At least one process failed to exit in time after SIGTERM"


_OVER = "Error R15 (Memory quota vastly exceeded) -> The kernel stopped one of its programs"


def said(event: Mapping[str, Any], who: Identity, state: str, passed: bool) -> tuple[list[str], str]:
    """The lines, and the state from now on. `passed`: it has passed its gate, so the engine starts it again."""
    attributes = event["Actor"]["Attributes"]
    match event["Action"]:
        case "start":
            return _started(attributes, state)
        case "update" if passed and state == STARTING:
            return [_changed(STARTING, UP)], UP
        case "kill":
            return _told_to_end(str(attributes.get("signal", "")), state)
        case "die":
            ended = f"Process exited with status {printable(str(attributes.get('exitCode', '')), 10)}"
            return [ended, _changed(*_end(who, state))], CRASHED if _end(who, state)[1] == CRASHED else ""
        case "oom":
            return [_OVER], state
    return [], state


def entries(event: Mapping[str, Any], who: Identity, lines: list[str], key: str) -> list[Entry]:
    nanoseconds = int(event["timeNano"])
    at = _moment(nanoseconds)
    return [
        Entry(LogLine(at, PLATFORM, who.process, text), f"{key}!", f"{nanoseconds:020}/{number}")
        for number, text in enumerate(lines)
    ]


def _started(attributes: Mapping[str, str], state: str) -> tuple[list[str], str]:
    command = attributes.get(naming.COMMAND, "")
    starts = f"Starting process with command `{printable(command, 500)}`" if command else "Starting process"
    if state == CRASHED:
        return [_changed(CRASHED, STARTING), starts, _changed(STARTING, UP)], UP
    return [starts], STARTING


def _told_to_end(signal: str, state: str) -> tuple[list[str], str]:
    if signal == _SIGTERM:
        return ["Stopping all processes with SIGTERM"], STOPPING
    if signal == _SIGKILL:
        late = [_LATE] if state == STOPPING else []
        return [*late, "Stopping all processes with SIGKILL"], STOPPING
    return [], state


def _end(who: Identity, state: str) -> tuple[str, str]:
    if state == STOPPING:
        return UP, "down"
    if who.type in _ONCE:
        return UP, "complete"
    return state or UP, CRASHED


def _changed(before: str, after: str) -> str:
    return f"State changed from {before} to {after}"


def _moment(nanoseconds: int) -> str:
    whole, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
