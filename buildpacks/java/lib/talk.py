"""What the pusher reads: steps, details under them, errors; and the exit codes that the platform tells apart."""

from __future__ import annotations

import re
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence

FAILED, BAD_SOURCE, NOT_AVAILABLE, NETWORK = 1, 65, 69, 75
_MOST_KEPT = 2000
_COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")


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


def run(argv: Sequence[str], env: Mapping[str, str], hidden: re.Pattern[str]) -> tuple[int, list[str]]:
    """The exit code and the last lines of what it wrote, which is shown as it comes but for `hidden` lines."""
    kept: deque[str] = deque(maxlen=_MOST_KEPT)
    try:
        process = subprocess.Popen(
            argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        raise Refusal(FAILED, f"{argv[0]} cannot be run: {error.strerror}") from error
    assert process.stdout
    for raw in process.stdout:
        line = _COLOUR.sub("", raw.decode("utf-8", "replace")).rstrip()
        if line.startswith(("Picked up JAVA_TOOL_OPTIONS", "NOTE: Picked up")):
            continue
        kept.append(line)
        if line and not hidden.search(line):
            detail(line)
    return process.wait(), list(kept)
