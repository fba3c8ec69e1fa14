"""Is a service that was just made ready? If not: why. A swarm tells no events of tasks, so they are asked for."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from threading import Event

from docker.errors import NotFound

from wherry.domain.errors import RolloutFailed, RolloutFailure
from wherry.domain.health import Kind
from wherry.domain.text import log_line, printable
from wherry.domain.workload import Workload
from wherry.runtimes import refusals
from wherry.runtimes.machine import checks
from wherry.runtimes.machine.checks import Patient
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.swarm.services import Services, TaskOf

_LOOK = 0.1
_EVIDENCE = 20
_KILLED = 137
_TO_BEGIN = 600.0
"""Seconds, of which most would be the pull of its image on its node."""
_TO_BE_PLACED = 10.0


class Gate:
    """`given_up`: another process of the same start failed."""

    def __init__(self, engine: Engine, services: Services, given_up: Event) -> None:
        self._engine = engine
        self._services = services
        self._given_up = given_up

    def pass_through(self, service: str, published: int, who: Identity, workload: Workload) -> None:
        """Returns when it is ready. Raises RolloutFailed, and docker's errors."""
        task = self._begun(service, who, workload)
        address = self._services.nodes().get(task.node, "")
        if workload.listens:
            self._await_listening(service, (address, published), who, workload)
        elif self._given_up.wait(workload.settle):
            return
        self._check(task, (address, published), who, workload)
        self._look(service, who, workload)

    def _begun(self, service: str, who: Identity, workload: Workload) -> TaskOf:
        began = time.monotonic()
        while True:
            for task in self._look(service, who, workload):
                if task.runs or self._given_up.is_set():
                    return task
                waited = time.monotonic() - began
                if waited > _TO_BEGIN or (task.state == "pending" and task.message and waited > _TO_BE_PLACED):
                    said = printable(task.message, 300) or f"it is {task.state} after {waited:.0f} s"
                    raise RolloutFailed(
                        RolloutFailure.NO_CAPACITY,
                        f"the swarm has no node for {who.process}",
                        evidence=[said],
                        hint="To see its nodes: docker node ls",
                    )
            self._given_up.wait(_LOOK)

    def _look(self, service: str, who: Identity, workload: Workload) -> list[TaskOf]:
        """Its tasks, none of which has ended."""
        tasks = self._services.tasks(service=service)
        for each in tasks:
            if each.is_over:
                raise self._why(service, each, who, workload)
        return tasks

    def _await_listening(self, service: str, place: tuple[str, int], who: Identity, workload: Workload) -> None:
        limit = checks.boot_limit(workload)
        deadline = time.monotonic() + limit
        while not self._given_up.is_set():
            if _accepts(place):
                return
            self._look(service, who, workload)
            if time.monotonic() > deadline:
                raise refusals.not_listening(who.process, "$PORT", limit, self._evidence(service))
            self._given_up.wait(_LOOK)

    def _check(self, task: TaskOf, place: tuple[str, int], who: Identity, workload: Workload) -> None:
        """What its app.json wants before the first request; a command only where its container is on this engine."""
        patient = Patient(self._engine, task.container, place[0])
        for each in workload.checks:
            if each.kind is Kind.LIVENESS or each.warn or (each.command and not self._is_here(task)):
                continue
            reason = ""
            for _ in range(each.attempts):
                if self._given_up.wait(each.delay + each.uptime):
                    return
                if not (reason := checks.look(patient, replace(each, port=each.port or place[1]))):
                    break
                self._given_up.wait(each.wait)
            if reason:
                raise refusals.not_healthy(who.process, f"its {each.title}: {reason}", self._evidence(task.service))

    def _why(self, service: str, task: TaskOf, who: Identity, workload: Workload) -> RolloutFailed:
        if task.state == "rejected":
            said = printable(task.message, 300)
            return RolloutFailed(RolloutFailure.IMAGE_PULL, f"{who.process} could not be made", evidence=[said])
        evidence = self._evidence(service)
        if self._was_hungry(task):
            return refusals.out_of_memory(who.process, workload, evidence)
        last = [printable(task.message, 300)] if task.message else []
        return refusals.exited(who.process, task.code, "before it was ready", evidence or last)

    def _was_hungry(self, task: TaskOf) -> bool:
        """Its container knows, where it is on this engine; elsewhere a kill that was not ours is taken for it."""
        try:
            return bool(self._engine.api.inspect_container(task.container)["State"].get("OOMKilled"))
        except (NotFound, ValueError):
            return task.code == _KILLED

    def _is_here(self, task: TaskOf) -> bool:
        try:
            self._engine.api.inspect_container(task.container)
        except NotFound:
            return False
        return True

    def _evidence(self, service: str) -> list[str]:
        return [log_line(line) for line in self._services.lines(service, _EVIDENCE) if line][-_EVIDENCE:]


def _accepts(place: tuple[str, int]) -> bool:
    """Through the node's port, which its engine opens before the process listens: only an answer, or a silence, counts."""
    try:
        with socket.create_connection(place, timeout=1.0) as connection:
            connection.settimeout(_LOOK)
            try:
                return connection.recv(1) != b""
            except TimeoutError:
                return True
    except OSError:
        return False
