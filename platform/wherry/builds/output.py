"""What a buildpack prints, passed on line by line; and what its failure means.

Lines that begin with " !" are its errors (Heroku's dialect). The last block of them is held back until the program
ends: after a failure it becomes the BuildFailed, which is shown once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from wherry.builds.causes import cause_of
from wherry.domain.errors import BuildFailed, BuildFailure
from wherry.domain.text import log_line
from wherry.flow.ports import Say

_ERROR = " !"
_KINDS = {65: BuildFailure.BAD_SOURCE, 69: BuildFailure.VERSION_NOT_AVAILABLE, 75: BuildFailure.NETWORK}
"""Exit codes of sysexits.h: EX_DATAERR, EX_UNAVAILABLE, EX_TEMPFAIL."""
_KEPT = 200
_SHOWN = 10


class Output:
    def __init__(self, say: Say) -> None:
        self._say = say
        self._held: list[str] = []
        self.tail: deque[str] = deque(maxlen=_KEPT)

    def line(self, raw: bytes) -> None:
        text = log_line(raw.removesuffix(b"\r"))
        if text.strip():
            self.tail.append(text.strip())
        if text.startswith(_ERROR):
            self._held.append(text)
            return
        self.flush()
        self._say(text)

    def flush(self) -> None:
        held, self._held = self._held, []
        for text in held:
            self._say(text)

    def failure(self, buildpack: str, code: int) -> BuildFailed:
        """The error block is taken, not printed. A blank line in it stands before the next command to type. What kind
        of failure it is the exit code says, else the words of the tools that ran.
        """
        held, self._held = [text.removeprefix(_ERROR).strip() for text in self._held], []
        cause = cause_of(list(self.tail))
        kind = _KINDS.get(code) or (cause.kind if cause else BuildFailure.BUILDPACK_FAILED)
        if not any(held):
            message = f"the buildpack {buildpack} failed with exit code {code}"
            evidence = cause.evidence if cause else list(self.tail)[-_SHOWN:]
            return BuildFailed(kind, message, evidence=evidence, hint=cause.hint if cause else "")
        while not held[0]:
            held.pop(0)
        facts, hint = _split(held)
        evidence = facts[1:] or (cause.evidence if cause else ())
        return BuildFailed(kind, facts[0], evidence=evidence, hint=hint or (cause.hint if cause else ""))


def _split(lines: Sequence[str]) -> tuple[list[str], str]:
    blanks = [index for index, line in enumerate(lines) if not line and any(lines[index:])]
    last = blanks[-1] if blanks else len(lines)
    return [line for line in lines[:last] if line], " ".join(line for line in lines[last:] if line)
