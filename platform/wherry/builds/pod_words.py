"""What the programs of a build's pod tell the worker: one JSON object a line, numbered, so that a log which is read again
from its beginning says nothing twice. Pure.

    {"by": "export", "n": 1, "say": "-----> Building …"}     a line for the pusher
    {"by": "export", "n": 9, "image": {"repository": …}}     the end: the image is in the registry
    {"by": "fetch", "n": 9, "failed": {"error": …}}          the end: no image
    {"by": "fetch", "n": 9, "done": true}                    the end: the next program's turn
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled, PlatformFault, WherryError
from wherry.domain.image import Image
from wherry.domain.text import log_line
from wherry.flow.ports import MarkedSay

PROGRAMS = ("fetch", "export")
"""In the order in which they write."""
GONE = "gone"
"""The error of a build whose container ended by itself."""
_LAST = 10
_MARK = re.compile(r"([0-9]{6})/([0-9])/([0-9]{9})")


@dataclass(slots=True)
class Speaker:
    """In the pod. `name`: the program's; `write` takes one line."""

    name: str
    write: Callable[[str], object]
    _number: int = 0

    def say(self, line: str) -> None:
        self._tell({"say": line})

    def image(self, image: Image) -> None:
        self._tell({"image": {"repository": image.repository, "digest": image.digest, "types": dict(image.processes)}})

    def done(self) -> None:
        self._tell({"done": True})

    def failed(self, error: WherryError, name: str = "") -> None:
        """`name`: another one than the error's own."""
        kind = error.kind.value if isinstance(error, BuildFailed) else ""
        said = {"message": error.message, "evidence": list(error.evidence), "hint": error.hint}
        self._tell({"failed": {"error": name or error.id, "kind": kind, **said}})

    def _tell(self, what: Mapping[str, object]) -> None:
        self._number += 1
        self.write(json.dumps({"by": self.name, "n": self._number, **what}))


@dataclass(slots=True)
class Listener:
    """At the worker. `attempt`: the pod's; `since`: the mark of the last line that an earlier worker has passed on.
    `strange`: the last lines that are none of ours, as of a program that broke.
    """

    say: MarkedSay
    attempt: int = 1
    since: str = ""
    image: Image | None = None
    failure: WherryError | None = None
    gone: bool = False
    strange: list[str] = field(default_factory=list)
    _heard: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (found := _MARK.fullmatch(self.since)) and int(found[1]) == self.attempt:
            before, at = PROGRAMS[: int(found[2])], PROGRAMS[int(found[2]) :][:1]
            self._heard = {**dict.fromkeys(before, sys.maxsize), **dict.fromkeys(at, int(found[3]))}

    def hear(self, raw: bytes) -> bool:
        """True for the last word of a program that knows how it ended."""
        try:
            told = json.loads(raw)
            by, number = str(told["by"]), int(told["n"])
            place = PROGRAMS.index(by)
        except (ValueError, TypeError, KeyError, RecursionError):
            self.strange = [*self.strange, log_line(raw)][-_LAST:]
            return False
        heard = self._heard.get(by, 0)
        if number <= heard:
            return False
        self._heard[by] = number
        if number > heard + 1:
            lost = f"       ({number - heard - 1} lines of the log were lost: the node has thrown them away)"
            self.say(lost, self._mark(place, number - 1))
        if "say" in told:
            self.say(str(told["say"]), self._mark(place, number))
            return False
        if "image" in told:
            self.image = _image(told["image"])
        elif "failed" in told:
            self.failure = _failure(told["failed"])
            self.gone = told["failed"].get("error") == GONE
        return not self.gone

    def _mark(self, place: int, number: int) -> str:
        """They grow from line to line, and from attempt to attempt."""
        return f"{self.attempt:06}/{place}/{number:09}"


def _image(told: Mapping[str, Any]) -> Image:
    types = {str(name): str(command) for name, command in dict(told["types"]).items()}
    return Image(str(told["repository"]), str(told["digest"]), types)


def _failure(told: Mapping[str, Any]) -> WherryError:
    message, hint = str(told["message"]), str(told["hint"])
    evidence = [str(line) for line in told["evidence"]]
    if told["error"] == BuildFailed.id:
        return BuildFailed(BuildFailure(told["kind"]), message, evidence=evidence, hint=hint)
    if told["error"] == Cancelled.id:
        return Cancelled(message, evidence=evidence, hint=hint)
    return PlatformFault(message, evidence=evidence, hint=hint)
