"""Versions of the platform and of the command that speaks to it: which is older, and whether that matters."""

from __future__ import annotations

import re

HEADER = "Wherry-Version"
"""On every answer of the API: the version of the platform."""

_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?:[-+.a-z][0-9A-Za-z.+-]{0,40})?")


def order(one: str, other: str) -> int:
    """-1: `one` is older, 0: the same, 1: newer; 0 also where one of them is no version."""
    return _sign(_parts(one), _parts(other))


def apart(one: str, other: str) -> int:
    """As `order`, of what may break a conversation (semver.org): the first number, and before 1.0 also the second."""
    first, second = _parts(one), _parts(other)
    return _sign(first and _weighty(first), second and _weighty(second))


def _parts(version: str) -> tuple[int, ...] | None:
    match = _VERSION.fullmatch(version)
    return tuple(int(part or 0) for part in match.groups()) if match else None


def _weighty(parts: tuple[int, ...]) -> tuple[int, ...]:
    return parts[:2] if parts[0] == 0 else (parts[0], 0)


def _sign(one: tuple[int, ...] | None, other: tuple[int, ...] | None) -> int:
    return 0 if one is None or other is None else (one > other) - (one < other)
