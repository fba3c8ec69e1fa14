"""What the pusher reads: steps, details under them, and one error whose first line is the cause."""

from __future__ import annotations

from collections.abc import Sequence

BAD_SOURCE = 65


class Refusal(Exception):
    """The app's files are wrong: the cause, what shows it, and what to do."""

    def __init__(self, cause: str, evidence: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(cause)
        self.lines = [cause, *evidence, *(["", hint] if hint else [])]


def say_refusal(refusal: Refusal) -> int:
    """The exit code."""
    for line in refusal.lines:
        print(f" !     {line}")
    return BAD_SOURCE


def shown(text: str) -> str:
    cut = text if len(text) <= 80 else text[:80] + "…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut)
