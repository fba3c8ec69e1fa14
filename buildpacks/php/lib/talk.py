"""What the pusher reads: steps, details under them, errors; and the exit codes that the platform tells apart."""

from __future__ import annotations

FAILED, BAD_SOURCE, NOT_AVAILABLE, NETWORK = 1, 65, 69, 75


class Refusal(Exception):
    """Lines for the pusher, the cause first, a blank one before the next command to type; `code` is the exit code."""

    def __init__(self, code: int, *lines: str) -> None:
        super().__init__(lines[0])
        self.code, self.lines = code, lines


def step(text: str) -> None:
    print(f"-----> {text}", flush=True)


def detail(text: str) -> None:
    print(f"       {text}", flush=True)


def refuse(refusal: Refusal) -> int:
    for line in refusal.lines:
        print(f" !     {line}", flush=True)
    return refusal.code
