"""Liveness checks of what runs: whose checks they are stands in a label of each container, so that any worker can go on
with them. A process that fails one so often as it says is restarted where it is.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from wherry.domain import health
from wherry.domain.health import Check
from wherry.domain.reading import Reading
from wherry.runtimes.machine import naming, observe
from wherry.runtimes.machine.checks import Patient, look
from wherry.runtimes.machine.engine import CLIENT_ERRORS, Engine
from wherry.runtimes.machine.naming import Identity

TICK = 1.0
_AT_ONCE = 16
_OF_ONE_APP = 4

Told = Callable[[int, str, str], None]
"""Is given the app's id, the process's name and what happened."""


@dataclass
class _Watched:
    """One check of one start of a container. `due`: by the monotonic clock; `failures` in a row."""

    check: Check
    due: float
    failures: int = 0
    trying: Future[str] | None = None


@dataclass
class _Process:
    started: str
    who: Identity
    patient: Patient
    grace: float
    watched: list[_Watched] = field(default_factory=list)
    restarting: Future[None] | None = None


class Liveness:
    """Used by one thread."""

    def __init__(self, engine: Engine, platform: str, told: Told) -> None:
        self._engine, self._platform, self._told = engine, platform, told
        self._known: dict[str, _Process] = {}

    def run(self, stop: Event) -> None:
        """Until `stop`. Raises docker's errors when the engine is gone."""
        with ThreadPoolExecutor(_AT_ONCE, "liveness") as pool:
            while not stop.wait(TICK):
                self._refresh()
                trying = Counter(
                    process.who.app_id for process in self._known.values() for each in process.watched if each.trying
                )
                for process in self._known.values():
                    self._look(pool, process, trying)

    def _refresh(self) -> None:
        filters = naming.of_platform(self._platform)
        filters["label"].append(naming.LIVENESS)
        running = {each["Id"]: each for each in self._engine.api.containers(filters=filters)}
        self._known = {key: each for key, each in self._known.items() if key in running}
        for container in running:
            known = self._known.get(container)
            if known is None or (known.restarting and known.restarting.done()):
                if known and known.restarting:
                    known.restarting.result()
                self._meet(container)

    def _meet(self, container: str) -> None:
        """From its start on, and only once it has passed what it must pass at its start."""
        found: dict[str, Any] = self._engine.api.inspect_container(container)
        labels = found["Config"]["Labels"]
        who = Identity.of(labels)
        if who is None or not found["State"]["Running"] or not observe.passed(found):
            return
        patient = Patient(self._engine, container, labels.get(naming.ADDRESS, ""))
        process = _Process(found["State"]["StartedAt"], who, patient, float(labels.get(naming.GRACE, 0)))
        now = time.monotonic()
        process.watched = [_Watched(each, now + max(each.delay, 1)) for each in _checks(labels)]
        self._known[container] = process

    def _look(self, pool: ThreadPoolExecutor, process: _Process, trying: Counter[int]) -> None:
        """`trying`: how many looks are under way, by app: one that answers slowly must not hold back the others."""
        if process.restarting:
            return
        for each in process.watched:
            if each.trying is None:
                if time.monotonic() >= each.due and trying[process.who.app_id] < _OF_ONE_APP:
                    trying[process.who.app_id] += 1
                    each.trying = pool.submit(look, process.patient, each.check)
            elif each.trying.done() and self._failed(each, process):
                process.restarting = pool.submit(self._restart, process)
                return

    def _failed(self, each: _Watched, process: _Process) -> bool:
        """Whether it failed for the last time."""
        assert each.trying
        reason = (
            "" if each.trying.exception() else each.trying.result()
        )  # an engine that is gone says nothing of the app
        each.trying, each.due = None, time.monotonic() + max(each.check.wait, 1)
        each.failures = each.failures + 1 if reason else 0
        if each.failures < each.check.attempts:
            return False
        each.failures = 0
        times = "once" if each.check.attempts == 1 else f"{each.check.attempts} times"
        end = "" if each.check.warn else "; it is restarted"
        message = f"Process failed its {each.check.title} {times}: {reason}{end}"
        self._told(process.who.app_id, process.who.process, message)
        return not each.check.warn

    def _restart(self, process: _Process) -> None:
        try:
            self._engine.api.restart(process.patient.container, timeout=round(process.grace))
        except CLIENT_ERRORS:
            return  # it is gone, or the engine is: both are seen at the next look


def _checks(labels: dict[str, str]) -> Sequence[Check]:
    return health.read(Reading(naming.LIVENESS), json.loads(labels[naming.LIVENESS]), "label")
