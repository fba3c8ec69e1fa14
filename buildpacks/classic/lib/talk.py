"""What the pusher reads: steps, details under them, and one error whose first line is the cause."""

from __future__ import annotations

from collections.abc import Sequence

BAD_SOURCE, NETWORK, OTHER = 65, 75, 1


class Refusal(Exception):
    """The build ends: the exit code, the cause, what shows it, and what to do."""

    def __init__(self, code: int, cause: str, evidence: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(cause)
        self.code = code
        self.lines = [cause, *evidence, *(["", hint] if hint else [])]


def step(text: str) -> None:
    print(f"-----> {text}", flush=True)


def detail(text: str) -> None:
    print(f"       {text}", flush=True)


def shown(text: str) -> str:
    cut = text if len(text) <= 80 else text[:80] + "…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut)
