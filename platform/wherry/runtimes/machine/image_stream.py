"""What the engine's builder says while it builds, message by message: lines for people, and what we need to know.

A step's output comes through the same stream and may look like the builder's own words. What is taken from those here
can therefore be forged only by naming ids of 12 random hex digits, which a step knows of nothing but itself.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any

from wherry.domain.text import log_line, printable

_STEP = re.compile(r"(Step \d+/\d+) : (.*?)\n?", re.DOTALL)
_NUMBERS = re.compile(r"Step (\d+)/(\d+) : (.*)", re.DOTALL)
_RUNNING = re.compile(r" ---> Running in ([0-9a-f]{12})\n?")
_MADE = re.compile(r" ---> ([0-9a-f]{12})\n?")
_CODE = re.compile(r"returned a non-zero code: (\d+)")
_RED, _PLAIN = b"\x1b[91m", b"\x1b[0m"
_LONGEST_LINE = 64 * 1024
_SHOWN = 20


class Failed(Exception):
    """The builder's last word. `step`: which one; `lines`: the last that it wrote; `code`: of its program, if it ran."""

    def __init__(self, said: str, step: str, lines: list[str], too_long: bool = False) -> None:
        super().__init__(said)
        self.said, self.step, self.lines, self.too_long = said, step, lines, too_long
        found = _CODE.search(said)
        self.code = int(found[1]) if found else 0


class Steps:
    """`on_running` hears of each step's container. `labels`: how many steps of ours the builder adds at the end, one for
    each label; nobody is told of them. `stages`: the newest image of each FROM; `image`: the whole one's id.
    """

    def __init__(
        self, on_line: Callable[[bytes], None], most: int, on_running: Callable[[str], None], labels: int = 0
    ) -> None:
        self._on_line = on_line
        self._labels = labels
        self._quiet = False
        self._on_running = on_running
        self._left = most
        self._rest = b""
        self._step = ""
        self._tail = deque[str](maxlen=_SHOWN)
        self.stages: list[str] = []
        self.image = ""

    def take(self, message: dict[str, Any]) -> None:
        """Raises Failed."""
        if "error" in message:
            self._flush()
            raise Failed(printable(str(message["error"]), 500), self._step, self.last())
        if "stream" in message:
            text = self._theirs(str(message["stream"]))
            self._note(text)
            self._write(text.encode("utf-8", "surrogateescape"))
        elif "status" in message and not message.get("progressDetail") and "id" not in message:
            self._write(str(message["status"]).encode() + b"\n")
        elif isinstance(message.get("aux"), dict):
            self.image = str(message["aux"].get("ID", "")) or self.image

    def _theirs(self, text: str) -> str:
        """Without the last steps when those are ours, and their number."""
        if self._labels and (found := _NUMBERS.fullmatch(text)):
            number, steps = int(found[1]), int(found[2]) - self._labels
            self._quiet = number > steps
            text = f"Step {number}/{steps} : {found[3]}"
        elif text.startswith("Successfully built"):
            self._quiet = False
        return "" if self._quiet else text

    def last(self) -> list[str]:
        return list(self._tail)

    def _note(self, text: str) -> None:
        if found := _STEP.fullmatch(text):
            self._step = f"{found[1]} ({printable(' '.join(found[2].split()), 100)})"
            self._tail.clear()
            if found[2].upper().startswith("FROM "):
                self.stages.append("")
        elif found := _RUNNING.fullmatch(text):
            self._on_running(found[1])
        elif (found := _MADE.fullmatch(text)) and self.stages:
            self.stages[-1] = found[1]

    def _write(self, raw: bytes) -> None:
        self._left -= len(raw)
        if self._left < 0:
            raise Failed("too much output", self._step, self.last(), too_long=True)
        *whole, self._rest = (self._rest + raw.replace(_RED, b"").replace(_PLAIN, b"")).split(b"\n")
        for line in whole:
            self._line(line)
        if len(self._rest) > _LONGEST_LINE:
            self._flush()

    def _flush(self) -> None:
        rest, self._rest = self._rest, b""
        if rest:
            self._line(rest)

    def _line(self, raw: bytes) -> None:
        raw = raw.removesuffix(b"\r")
        if not raw.strip():
            return
        shown = log_line(raw)
        if (
            not _STEP.fullmatch(shown)
            and not shown.startswith(" ---> ")
            and not shown.startswith("Removing intermediate")
        ):
            self._tail.append(shown)
        self._on_line(raw)
