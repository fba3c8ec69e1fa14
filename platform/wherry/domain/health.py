"""Health checks of a process type, in Dokku's words (app.json, `healthchecks`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from wherry.domain.reading import Reading

_PATH = re.compile(r"/[!-~]{0,2000}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[ -~]{0,1000}")
_WORDS = """
attempts command content description httpHeaders initialDelay listening name onFailure path port scheme timeout type
uptime wait warn
"""
_KNOWN = frozenset(_WORDS.split())
_MOST = 10


class Kind(StrEnum):
    """STARTUP and READINESS must pass before a process gets its first request; LIVENESS goes on, and a process that fails
    it is restarted.
    """

    STARTUP = "startup"
    READINESS = "readiness"
    LIVENESS = "liveness"


@dataclass(frozen=True, slots=True)
class Check:
    """One way to look: `path` (HTTP, the usual one, 200 to 399, with `content` in it), `command` (exit code 0, in the process's
    container), `listening` (a port takes connections), or `uptime` (it still runs after so many seconds).

    Seconds: `delay` before the first try, `timeout` of one, `wait` between two. It fails after `attempts` in a row.
    `port` 0 is $PORT. `warn`: a failure is told, and has no consequence.
    """

    kind: Kind = Kind.STARTUP
    name: str = ""
    path: str = ""
    content: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    listening: bool = False
    uptime: int = 0
    port: int = 0
    attempts: int = 3
    timeout: int = 5
    wait: int = 5
    delay: int = 0
    warn: bool = False

    @property
    def title(self) -> str:
        return f"{self.kind} check '{self.name}'" if self.name else f"{self.kind} check"

    @property
    def longest(self) -> float:
        """Seconds until it has passed or failed."""
        return self.delay + self.uptime + self.attempts * self.timeout + (self.attempts - 1) * self.wait


def read(reading: Reading, value: object, where: str) -> tuple[Check, ...]:
    return tuple(
        _check(reading, reading.mapping(each, f"{where}[{place}]"), f"{where}[{place}]")
        for place, each in enumerate(reading.items(value, where, _MOST))
    )


def write(check: Check) -> dict[str, object]:
    """What `read` reads again."""
    made: dict[str, object] = {
        "type": str(check.kind),
        "name": check.name,
        "path": check.path,
        "content": check.content,
        "httpHeaders": [{"name": name, "value": value} for name, value in check.headers],
        "command": list(check.command),
        "listening": check.listening,
        "uptime": check.uptime,
        "port": check.port,
        "attempts": check.attempts,
        "timeout": check.timeout,
        "wait": check.wait,
        "initialDelay": check.delay,
        "warn": check.warn,
    }
    kept = {key: each for key, each in made.items() if each}
    return kept if check.wait else {**kept, "wait": 0}


def _check(reading: Reading, found: Mapping[str, object], where: str) -> Check:
    reading.only(found, _KNOWN, where)
    if found.get("onFailure"):
        reading.notice(f"{where}.onFailure", "")
    if reading.text(found.get("scheme"), f"{where}.scheme") not in (None, "http", "HTTP"):
        reading.fault(f"{where}.scheme", "there is http only: TLS ends at the router")
    path = reading.text(found.get("path"), f"{where}.path") or ""
    if path and not _PATH.fullmatch(path):
        reading.fault(f"{where}.path", "must begin with / and have neither blanks nor control characters")
    command = _command(reading, found.get("command"), f"{where}.command")
    listening = reading.flag(found.get("listening"), f"{where}.listening", False)
    uptime = reading.whole(found.get("uptime"), f"{where}.uptime", 0, 3600) or 0
    ways = (bool(path), bool(command), listening, bool(uptime)).count(True)
    if ways > 1:
        reading.fault(where, "must have one of path, command, listening and uptime")
    return Check(
        kind=_kind(reading, found.get("type"), f"{where}.type"),
        name=reading.text(found.get("name"), f"{where}.name", 100) or "",
        path=path if ways else "/",
        content=reading.text(found.get("content"), f"{where}.content", 1000) or "",
        headers=_headers(reading, found.get("httpHeaders"), f"{where}.httpHeaders"),
        command=command,
        listening=listening,
        uptime=uptime,
        port=_number(reading, found, "port", where, 1, 65535, 0),
        attempts=_number(reading, found, "attempts", where, 1, 1000, 3),
        timeout=_number(reading, found, "timeout", where, 1, 60, 5),
        wait=_number(reading, found, "wait", where, 0, 3600, 5),
        delay=_number(reading, found, "initialDelay", where, 0, 3600, 0),
        warn=reading.flag(found.get("warn"), f"{where}.warn", False),
    )


def _number(
    reading: Reading, found: Mapping[str, object], key: str, where: str, least: int, most: int, default: int
) -> int:
    value = reading.whole(found.get(key), f"{where}.{key}", least, most)
    return default if value is None else value


def _kind(reading: Reading, value: object, where: str) -> Kind:
    if value is None:
        return Kind.STARTUP
    if value in list(Kind):
        return Kind(str(value))
    reading.fault(where, f"there are: {', '.join(Kind)}")
    return Kind.STARTUP


def _command(reading: Reading, value: object, where: str) -> tuple[str, ...]:
    """A line of text is for a shell, as everywhere."""
    if isinstance(value, str):
        line = reading.text(value, where)
        return ("/bin/sh", "-c", line) if line else ()
    words = [reading.text(each, f"{where}[{place}]") for place, each in enumerate(reading.items(value, where))]
    return tuple(each for each in words if each is not None)


def _headers(reading: Reading, value: object, where: str) -> tuple[tuple[str, str], ...]:
    found = []
    for place, each in enumerate(reading.items(value, where, 50)):
        header = reading.mapping(each, f"{where}[{place}]")
        name = reading.text(header.get("name"), f"{where}[{place}].name") or ""
        text = reading.text(header.get("value"), f"{where}[{place}].value") or ""
        if _HEADER.fullmatch(name) and _HEADER_VALUE.fullmatch(text):
            found.append((name, text))
        else:
            reading.fault(f"{where}[{place}]", "must be {name, value} of an HTTP header")
    return tuple(found)
