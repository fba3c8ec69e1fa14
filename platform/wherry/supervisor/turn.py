"""Of several equal processes one has its turn at a time: the lock of a file, which the kernel frees however its holder ends."""

from __future__ import annotations

import fcntl
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

_ENDING = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Waits until nobody else holds the lock; what asks this process to end while it waits ends it."""
    handlers = {number: signal.signal(number, _leave) for number in _ENDING}
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        yield


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(0)  # a handler that returns would let the wait begin again (PEP 475)
