"""Heads of the chain of events, kept outside the database: one line for each commit that wrote events.

Who rewrites or removes events, and reckons all their hashes anew, has still to rewrite this file too, and each copy of it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from wherry.domain.chain import Head, head_of
from wherry.domain.errors import InvalidInput

log = logging.getLogger(__name__)


class Heads:
    """Any number of processes may append at once: a line is one write. A line that a power cut took or tore is no
    loss, since every later one covers it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, head: Head) -> None:
        """Of a change that is committed already: when the disk is full, it stays, and the log tells."""
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, f"{head}\n".encode())
            finally:
                os.close(file)
        except OSError as error:
            log.warning("the head of the events is not kept outside the database: %s", error)

    def read(self) -> Iterator[Head]:
        """In the order of their commits, or nearly. Raises nothing for a file that is not there yet."""
        try:
            file = self._path.open("r", encoding="ascii", errors="replace")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                try:
                    yield head_of(line.rstrip("\n"))
                except InvalidInput:
                    log.warning("%s has a line that is no head", self._path)
