"""What the platform says of an app's processes in its log, read back as turns of their lives. Pure.

Every runtime says it in the same words of Heroku (runtimes/machine/words.py, runtimes/cluster/words.py); one-offs, whose
numbers are above those of a formation, have events of their own.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from wherry.domain.log import PLATFORM, Kept, micro
from wherry.domain.one_off import NUMBERS, PROCESS

STARTING, CRASHED, DOWN = "starting", "crashed", "down"
_CHANGED = re.compile(r"State changed from ([a-z]{1,20}) to (starting|up|crashed|down|complete)")
_STARTS = re.compile(r"Starting process(?: with command .*)?", re.DOTALL)
_ENDED = re.compile(r"Process exited with status ([0-9]{1,9})")
_OVER = (DOWN, "complete")
_MOST = 4


@dataclass(frozen=True, slots=True)
class Turn:
    """`process` is now `state`, and was `before` ("": it is new). `number`: of no other turn of this app; `life`: the same
    from a start to its end, since one that replaces another has its name beside it; `code`: its exit status, where it has
    just ended.
    """

    number: int
    life: int
    at: datetime
    process: str
    before: str
    state: str
    code: int | None = None

    @property
    def verb(self) -> str:
        return "create" if not self.before else "destroy" if self.state == DOWN else "update"


@dataclass
class Lives:
    """Reads lines in their order, and remembers what only a later line of the same process makes a turn."""

    _codes: dict[str, int] = field(default_factory=dict)
    _again: set[str] = field(default_factory=set)
    _known: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """Of each name the lives that may still be, the oldest first: number and state."""

    def turn(self, kept: Kept) -> Turn | None:
        line = kept.line
        match = PROCESS.fullmatch(line.process) if line.source == PLATFORM else None
        if match is None or int(match[2]) in NUMBERS:
            return None
        if ended := _ENDED.fullmatch(line.text):
            self._codes[line.process] = int(ended[1])
        elif changed := _CHANGED.fullmatch(line.text):
            return self._changed(kept, changed[1], changed[2])
        elif _STARTS.fullmatch(line.text) and line.process not in self._again:
            return self._turn(kept, "", STARTING)
        return None

    def _changed(self, kept: Kept, before: str, state: str) -> Turn:
        """One that is started again says so twice: what it was, and then what is started."""
        process = kept.line.process
        if state == STARTING:
            self._again.add(process)
        else:
            self._again.discard(process)
        return self._turn(kept, before, DOWN if state in _OVER else state, self._codes.pop(process, None))

    def _turn(self, kept: Kept, before: str, state: str, code: int | None = None) -> Turn:
        number, process = _number(kept), kept.line.process
        life = self._life(process, before, state) or number
        rest = [each for each in self._known.pop(process, []) if each[0] != life]
        if lives := [*rest, *([(life, state)] if state != DOWN else [])]:
            self._known[process] = lives[-_MOST:]
        return Turn(number, life, datetime.fromisoformat(micro(kept.line.at)), process, before, state, code)

    def _life(self, process: str, before: str, state: str) -> int:
        """Whose turn it is; 0 for one that nobody knows. Of two with one name the older is told to end, and the newer is
        the one of which the rest is said.
        """
        if not before:
            return 0
        known = self._known.get(process, [])
        if state == DOWN:
            return next((life for life, is_now in known if is_now != CRASHED), 0)
        return next((life for life, is_now in reversed(known) if is_now == before), 0)


def _number(kept: Kept) -> int:
    """Above those of events (webhooks.py), and the same for a line that is read twice."""
    told = f"{kept.number} {kept.line.at} {kept.line.process} {kept.line.text}".encode()
    return 1 << 61 | int.from_bytes(hashlib.sha256(told).digest()[:8]) >> 3
