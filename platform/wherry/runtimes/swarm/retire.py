"""Removes services: the swarm stops their tasks, SIGTERM first. Returns when none of them is left on this node; what other
nodes still stop is theirs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from wherry.domain.errors import PlatformFault
from wherry.runtimes.swarm.services import Services

_LOOK = 0.05
_LONGEST = 120.0


def take_away(services: Services, ids: Sequence[str]) -> None:
    """Raises docker's errors, and PlatformFault for a task that does not end."""
    services.remove(ids)
    deadline = time.monotonic() + _LONGEST
    while left := [each for each in ids if services.has_containers(each)]:
        if time.monotonic() > deadline:
            raise PlatformFault("the swarm did not stop its tasks in two minutes", evidence=left[:3])
        time.sleep(_LOOK)
