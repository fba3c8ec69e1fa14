"""Errors of git and of the disk, translated once for the whole room."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from wherry.domain.errors import PlatformFault
from wherry.domain.text import log_line

MOST_EVIDENCE = 20


def git_failed(argv: Sequence[str], code: int, output: bytes) -> PlatformFault:
    """A git that ended with `code`: the line to paste into a shell, and the last lines that it said."""
    said = [log_line(line) for line in output.split(b"\n") if line.strip()]
    ending = f"was killed by signal {-code}" if code < 0 else f"ended with {code}" if code else "could not answer"
    return PlatformFault(f"git {ending}", evidence=[f"$ {shlex.join(argv)}", *said[-MOST_EVIDENCE:]])


@contextmanager
def disk_faults(doing: str) -> Iterator[None]:
    """Turns an OSError inside its block into PlatformFault; `doing` ends the sentence "cannot …"."""
    try:
        yield
    except OSError as error:
        raise PlatformFault(f"cannot {doing}: {error}", hint="Look at free space: df -h; df -i") from error
