"""How often, and for how long, a registry that fails is asked again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from wherry.domain.errors import PlatformFault


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a registry that fails. All in seconds but `tries`, which counts those without progress."""

    tries: int = 6
    first_pause: float = 0.2
    longest_pause: float = 10.0
    longest_wish: float = 120.0
    """The longest ``Retry-After`` that is waited for."""
    total: float = 900.0
    """For one blob or document."""
    connect: float = 5.0
    silence: float = 60.0


class Interrupted(Exception):
    """Worth another try; never leaves this room. The connection broke, or the registry cannot now. `wish`: Retry-After."""

    def __init__(self, fault: PlatformFault, wish: float | None = None) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.wish = wish


class Tries:
    """Counts and paces the tries of one operation."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failed = 0
        self.deadline = time.monotonic() + patience.total

    def progress(self) -> None:
        self._failed = 0

    def pause(self, interrupted: Interrupted) -> None:
        """Waits before the next try. Raises the PlatformFault when there is to be none."""
        self._failed += 1
        wish = interrupted.wish
        grown = self._patience.first_pause * 2 ** (self._failed - 1)
        pause = min(grown, self._patience.longest_pause) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
        pause = max(pause, wish or 0.0)
        spent = self._failed >= self._patience.tries or time.monotonic() + pause > self.deadline
        if spent or pause > max(self._patience.longest_wish, self._patience.longest_pause):
            raise interrupted.fault from interrupted.__cause__
        time.sleep(pause)
