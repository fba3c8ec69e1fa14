"""A program at a terminal, as a user has it before them."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence


class Terminal:
    def __init__(self, argv: Sequence[str], env: Mapping[str, str], rows: int, columns: int) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._program = subprocess.Popen(
            argv, env=dict(env), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.seen = b""

    def see(self, words: bytes, seconds: float = 60) -> None:
        """Waits until they stand on the screen, behind what was waited for before."""
        deadline = time.monotonic() + seconds
        while words not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{words!r} did not come; there is {self.seen!r}"
            if select.select([self._ours], [], [], left)[0]:
                self.seen += self._read()
        self.seen = self.seen.partition(words)[2]

    def type(self, line: bytes) -> None:
        os.write(self._ours, line)

    def end(self) -> int:
        """The program's exit code."""
        code = self._program.wait(60)
        os.close(self._ours)
        return code

    def _read(self) -> bytes:
        try:
            return os.read(self._ours, 65536)
        except OSError as error:  # nobody is at the other end any more
            raise AssertionError(f"it has ended; there is {self.seen!r}") from error
