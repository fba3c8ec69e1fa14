"""Stops processes: SIGTERM to all at once, SIGKILL to what is left after its grace, then they are removed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from docker.errors import NotFound

from wherry.runtimes.machine.engine import Engine


def take_away(engine: Engine, containers: Sequence[tuple[str, float | None]]) -> None:
    """Each with its grace in seconds; None kills it. Raises the first of docker's errors, after all were tried."""
    if containers:
        with ThreadPoolExecutor(len(containers), "retire") as pool:
            done = [pool.submit(_take, engine, container, grace) for container, grace in containers]
        for each in done:
            each.result()


def _take(engine: Engine, container: str, grace: float | None) -> None:
    if grace is not None:
        try:
            engine.api.stop(container, timeout=math.ceil(grace))
        except NotFound:
            return
    engine.remove(container)
