"""Processes as services of a swarm: the adapter of the Runtime port, where it differs from that of one engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event, Thread

from wherry.domain.image import Image
from wherry.domain.workload import Process, Workload
from wherry.flow.log_ports import AppLogs
from wherry.flow.ports import Say
from wherry.runtimes.machine import naming
from wherry.runtimes.machine import observe as containers
from wherry.runtimes.machine.liveness import Told
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.runtime import MachineRuntime
from wherry.runtimes.machine.start import identities
from wherry.runtimes.swarm import observe
from wherry.runtimes.swarm.retire import take_away
from wherry.runtimes.swarm.services import Services
from wherry.runtimes.swarm.start import Starter
from wherry.runtimes.swarm.watch import watch


class SwarmRuntime(MachineRuntime):
    """`engine_url`: of a manager. One-offs and release phases are containers of that engine, as on one machine."""

    def __init__(
        self, engine_url: str, platform: str, registry: Registry, subnet: str = "", logs: AppLogs | None = None
    ) -> None:
        super().__init__(engine_url, platform, registry, subnet, logs)
        self._services = Services(self._engine, platform, registry)
        self._starter = Starter(self._engine, self._services, registry, platform)

    def fetch(self, image: Image) -> None:
        """Which nodes will want it is the swarm's to say."""

    def start(self, workloads: Sequence[Workload], say: Say) -> None:
        with self._engine.doing("start the processes"):
            self._starter.start(workloads, say)

    def insist(self, workloads: Sequence[Workload]) -> None:
        with self._engine.doing("start the processes"):
            self._starter.insist(workloads)

    def retire(self, app_id: int, keep: Sequence[Workload], *, by_name: bool = False, runs: bool = False) -> None:
        wanted = identities(self._platform, keep)
        with self._engine.doing("stop the processes"):
            leaving = [
                each.id
                for each in self._services.all(app_id)
                if each.who not in wanted
                or not (
                    by_name or each.fingerprint == naming.fingerprint(self._platform, wanted[each.who], each.who.index)
                )
            ]
            take_away(self._services, leaving)
            if not keep:
                self._services.drop_networks(app_id)
        if runs:
            super().retire(app_id, (), runs=True)

    def processes(self, app_id: int | None = None) -> list[Process]:
        with self._engine.doing("list the processes"):
            ending = containers.processes(self._engine, self._platform, app_id, once=True)
            return [*observe.processes(self._services, app_id), *ending]

    def watch(self, on_change: Callable[[int], None], on_one_off: Callable[[], None] = lambda: None) -> None:
        stop = Event()
        work = Thread(
            target=watch, args=(self._engine, self._services, on_change, stop), name="swarm watch", daemon=True
        )
        work.start()
        try:
            super().watch(lambda _: None, on_one_off)  # the engine's own events tell when it goes away
        finally:
            stop.set()

    def look_after(self, stop: Event, told: Told) -> None:
        """The engines try the checks by command themselves (spec.py); others are not tried here."""
        stop.wait()

    def problems(self) -> list[str]:
        with self._engine.doing("tell what it can do"):
            swarm = self._engine.api.info().get("Swarm") or {}
        if not swarm.get("ControlAvailable"):
            return ["this engine is no manager of a swarm: docker swarm init, or docker swarm join as a manager"]
        return super().problems()

    def remove(self) -> None:
        with self._engine.doing("remove the platform's processes"):
            take_away(self._services, [each.id for each in self._services.all()])
            self._services.drop_networks()
        super().remove()
