"""Lines of an app's log: what its processes print, what the platform tells of them, what the router answered."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wherry.domain.text import log_line

APP, PLATFORM = "app", "heroku"
SOURCES = (APP, PLATFORM)
LONGEST = 10_000
"""Bytes of one message; longer ones are split, as Heroku does (devcenter.heroku.com/articles/logging)."""

_TIME = re.compile(r"(.*T[0-9:]+)(?:\.([0-9]+))?(?:Z|\+00:00)")


@dataclass(frozen=True, slots=True)
class LogLine:
    """`at`: RFC 3339, UTC. `source`: "app", or "heroku" for the platform's words, which Heroku's clients know by that
    name. `process`: ``web.1``, ``run.5146``, ``router``, ``api``. `text`: safe to show.
    """

    at: str
    source: str
    process: str
    text: str

    def shown(self) -> str:
        """As Heroku writes it: ``2025-08-08T06:58:53.547493+00:00 app[web.1]: text``."""
        return f"{micro(self.at)} {self.source}[{self.process}]: {self.text}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line on its way into the log. What comes from one origin (`key`: a container, the router) has marks that grow
    (as text), so that one that is brought twice is kept once. No key: always kept.
    """

    line: LogLine
    key: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A line in the log; numbers of one app grow by one with each."""

    number: int
    line: LogLine


@dataclass(frozen=True, slots=True)
class Filter:
    """`process`: a name (``web.1``) or a type (``web``); "" for all."""

    source: str = ""
    process: str = ""

    def takes(self, line: LogLine) -> bool:
        name = line.process
        return self.source in ("", line.source) and self.process in ("", name, name.partition(".")[0])


ALL = Filter()


def micro(at: str) -> str:
    """RFC 3339 with microseconds and +00:00."""
    match = _TIME.fullmatch(at)
    return f"{match[1]}.{(match[2] or '').ljust(6, '0')[:6]}+00:00" if match else at


def pieces(raw: bytes) -> list[bytes]:
    """One line of a program's output in pieces of at most LONGEST bytes, never cut inside a character; one at least."""
    raw = raw.removesuffix(b"\r")
    if len(raw) <= LONGEST:
        return [raw]
    found = []
    start = 0
    while start < len(raw):
        end = min(len(raw), start + LONGEST)
        while end < len(raw) and end - start > LONGEST - 4 and raw[end] & 0xC0 == 0x80:
            end -= 1
        found.append(raw[start:end])
        start = end
    return found


def message(piece: bytes) -> str:
    """Safe to show, whatever it was."""
    return log_line(piece, LONGEST)
