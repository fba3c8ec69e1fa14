"""Wishes that processes be restarted: kept until newer ones of the same target replace them, and compared with what
runs. A process whose last start is older than its wish is replaced. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from wherry.domain.errors import NotFound
from wherry.domain.formation import Formation
from wherry.domain.text import printable

_PROCESS = re.compile(r"([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class Target:
    """`type` "" is every type, `index` 0 every process of the type."""

    type: str = ""
    index: int = 0

    def __str__(self) -> str:
        return f"{self.type}.{self.index}" if self.index else self.type or "all"


EVERYTHING = Target()


@dataclass(frozen=True, slots=True)
class Wish:
    """`number` grows with each wish of the platform. `stop_first`: the old one ends before the new one begins."""

    number: int
    target: Target
    stop_first: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Of one process: the number of the last wish that means it, and of the last one that wants it stopped first."""

    number: int = 0
    stop: int = 0


def turn(wishes: Iterable[Wish], type: str, index: int) -> Turn:
    meant = [each for each in wishes if each.target.type in ("", type) and each.target.index in (0, index)]
    number = max((each.number for each in meant), default=0)
    return Turn(number, max((each.number for each in meant if each.stop_first), default=0))


def process_named(text: str, formation: Formation) -> Target:
    """``web.1`` as a process that the formation asks for. Raises NotFound."""
    match = _PROCESS.fullmatch(text)
    if match and match[1] in formation and int(match[2]) <= formation[match[1]].most:
        return Target(match[1], int(match[2]))
    raise NotFound(f"there is no process '{printable(text, 60)}'", hint="To see what runs: wherry ps")


def type_named(text: str, formation: Formation) -> Target:
    """Raises NotFound."""
    if text in formation:
        return Target(text)
    known = ", ".join(formation) or "none: push first"
    raise NotFound(f"there is no process type '{printable(text, 60)}' (there are: {known})")
