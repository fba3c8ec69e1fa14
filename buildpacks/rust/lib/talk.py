"""What the pusher reads: steps, details under them, and one error whose first line is the cause."""

from __future__ import annotations

import re
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

BAD_SOURCE, NOT_AVAILABLE, NETWORK, OTHER = 65, 69, 75, 1
_MOST_KEPT = 400
_STATUS = re.compile(r"^ +([A-Z][a-z]+ing |Downloaded |Finished |Fresh )")
"""cargo sets its verbs to the right."""


class Refusal(Exception):
    """The build ends: the exit code, the cause, what shows it, and the next command to type."""

    def __init__(self, code: int, cause: str, evidence: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(cause)
        self.code = code
        self.lines = [cause, *evidence, *(["", hint] if hint else [])]


def step(text: str) -> None:
    print(f"-----> {text}", flush=True)


def detail(text: str) -> None:
    print(f"       {text}", flush=True)


def error_line(text: str) -> None:
    print(f" !     {text}", flush=True)


def run(argv: Sequence[str], env: Mapping[str, str], folder: Path, stdout: Path) -> tuple[int, list[str]]:
    """The exit code and the last lines of stderr, each shown as it comes; `stdout`: the file where the rest goes."""
    kept: deque[str] = deque(maxlen=_MOST_KEPT)
    with (
        stdout.open("wb") as file,
        subprocess.Popen(
            argv, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE
        ) as process,
    ):
        assert process.stderr
        for raw in process.stderr:
            line = raw.decode("utf-8", "replace").rstrip()
            if line:
                kept.append(line)
                if not line.startswith("  Downloaded "):  # as many as there are crates
                    detail(_STATUS.sub(r"\1", line))
    return process.returncode, list(kept)


def output_of(argv: Sequence[str], env: Mapping[str, str], folder: Path) -> tuple[int, str, list[str]]:
    """The exit code, what it wrote to stdout, and the lines that it wrote to stderr. Shows nothing."""
    done = subprocess.run(argv, env=env, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    said = done.stderr.decode("utf-8", "replace").split("\n")
    return done.returncode, done.stdout.decode("utf-8", "replace"), [line for line in said if line.strip()]
