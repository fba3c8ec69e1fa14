"""Tells when a process ends by itself or is started again. A swarm has no events of tasks, so they are looked at."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from wherry.domain.errors import PlatformFault
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.swarm.services import Services

_LOOK = 1.0


def watch(engine: Engine, services: Services, on_change: Callable[[int], None], stop: Event) -> None:
    """Until `stop`, or until the engine is gone. A service that is new or gone is our own doing; one that lost a task is
    not. Raises what `on_change` raises.
    """
    known = _ends(engine, services)
    while not stop.wait(_LOOK):
        try:
            now = _ends(engine, services)
        except PlatformFault:
            return
        for app_id in {app for service, (app, ends) in now.items() if service in known and ends - known[service][1]}:
            on_change(app_id)
        known = now


def _ends(engine: Engine, services: Services) -> dict[str, tuple[int, frozenset[str]]]:
    """Of each service that was ready: its app, and which of its tasks have ended."""
    with engine.doing("look at the processes"):
        there = {each.id: each for each in services.all() if each.passed}
        over: dict[str, set[str]] = {service: set() for service in there}
        for task in services.tasks() if there else ():
            if task.is_over and task.service in over:
                over[task.service].add(task.id)
    return {service: (there[service].who.app_id, frozenset(ends)) for service, ends in over.items()}
