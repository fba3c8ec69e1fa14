"""Processes as containers of one Docker Engine: the adapter of the Runtime port. Each method is one file beside this."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from threading import Event, Thread

from wherry.domain.errors import PlatformFault
from wherry.domain.image import Image
from wherry.domain.one_off import Task
from wherry.domain.workload import Process, Workload
from wherry.flow.log_ports import AppLogs
from wherry.flow.ports import Cancel, MarkedSay, Say
from wherry.flow.task_ports import Session, TaskState
from wherry.runtimes.machine import last_lines, naming, observe, once, one_offs, retire, start, watch
from wherry.runtimes.machine.addresses import Addresses
from wherry.runtimes.machine.attempt import Tools
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.liveness import Liveness, Told
from wherry.runtimes.machine.network import Networks
from wherry.runtimes.machine.ours import Ours
from wherry.runtimes.machine.pull import Registry, pull

log = logging.getLogger(__name__)
_LIMITS = {"MemoryLimit": "memory", "PidsLimit": "processes", "CpuCfsQuota": "processor time"}


class MachineRuntime:
    """`platform`: the random id of this platform; two on one machine do not see each other. `subnet`: an IPv4 /16,
    or "" for the first free one. `logs`: where what a process wrote is kept before its container is removed.
    """

    by_load = has_volumes = False

    def __init__(
        self, engine_url: str, platform: str, registry: Registry, subnet: str = "", logs: AppLogs | None = None
    ) -> None:
        self._engine = Engine(engine_url, self._keep_last_lines if logs else None)
        self._logs = logs
        self._platform = platform
        self._networks = Networks(self._engine, platform, subnet)
        self._ours = Ours()
        self._registry = registry
        self._tools = Tools(self._engine, registry, Addresses(self._networks), self._ours)

    def fetch(self, image: Image) -> None:
        reference = self._registry.reference(image.repository, image.digest)
        Thread(target=self._fetch, args=(reference,), name="fetch", daemon=True).start()

    def _fetch(self, reference: str) -> None:
        try:
            pull(self._engine, self._registry, reference, pauses=())
        except PlatformFault as error:
            log.info("not brought ahead of its start: %s", " | ".join(error.lines()))

    def start(self, workloads: Sequence[Workload], say: Say) -> None:
        try:
            with self._engine.doing("start the processes"):
                start.start(self._tools, self._platform, workloads, say)
        except PlatformFault:
            self._networks.forget()  # they may be what is missing: look again next time
            raise

    def insist(self, workloads: Sequence[Workload]) -> None:
        with self._engine.doing("start the processes"):
            start.insist(self._tools, self._platform, workloads)

    def run(
        self,
        workload: Workload,
        say: MarkedSay,
        cancel: Cancel,
        number: int = 1,
        leave: Cancel | None = None,
        *,
        resume: bool = False,
        heard: str = "",
    ) -> int:
        with self._engine.doing(f"run the {workload.type} process"):
            return once.run(
                self._tools, self._platform, workload, say, cancel, number, leave, resume=resume, heard=heard
            )

    def retire(self, app_id: int, keep: Sequence[Workload], *, by_name: bool = False, runs: bool = False) -> None:
        wanted = {who.name: workload for who, workload in start.identities(self._platform, keep).items()}
        with self._engine.doing("stop the processes"):
            there = self._engine.api.containers(all=True, filters=naming.of_platform(self._platform, app_id))
            leaving = [
                (each["Id"], float(each["Labels"].get(naming.GRACE, 0)))
                for each in there
                if (runs or naming.ONCE not in each["Labels"])
                and naming.ONE_OFF not in each["Labels"]
                and not any(
                    name in wanted and (by_name or start.is_as_asked(each, wanted[name], self._platform))
                    for name in start.names(each)
                )
            ]
            with self._ours.during(container for container, _ in leaving):
                retire.take_away(self._engine, leaving)

    def launch(self, task: Task) -> None:
        with self._engine.doing("start the one-off"):
            one_offs.launch(self._tools, self._platform, task)

    def attach(self, task: Task) -> Session:
        with self._engine.doing("start the one-off"):
            return one_offs.attach(self._tools, self._platform, task)

    def enter(self, task: Task, process: str) -> Session:
        with self._engine.doing(f"run a program inside {process}"):
            return one_offs.enter(self._tools, self._platform, task, process)

    def tasks(self, app_id: int | None = None) -> list[TaskState]:
        with self._engine.doing("list the one-offs"):
            return one_offs.tasks(self._engine, self._platform, app_id)

    def end(self, ids: Collection[int]) -> None:
        with self._engine.doing("stop the one-offs"):
            one_offs.end(self._engine, self._platform, ids)

    def discard(self, images: Collection[tuple[str, str]]) -> None:
        for repository, digest in images:
            with self._engine.doing("remove an image that no release needs"):
                self._engine.discard(self._registry.reference(repository, digest))

    def processes(self, app_id: int | None = None) -> list[Process]:
        with self._engine.doing("list the processes"):
            return observe.processes(self._engine, self._platform, app_id)

    def watch(self, on_change: Callable[[int], None], on_one_off: Callable[[], None] = lambda: None) -> None:
        self._networks.repair()
        watch.watch(self._engine, self._platform, self._ours, on_change, on_one_off)

    def look_after(self, stop: Event, told: Told) -> None:
        with self._engine.doing("look at the processes' health"):
            Liveness(self._engine, self._platform, told).run(stop)

    def problems(self) -> list[str]:
        """What `wherry doctor` should say about running apps here; [] when all is well."""
        with self._engine.doing("tell what it can do"):
            info = self._engine.api.info()
        missing = [limit for field, limit in _LIMITS.items() if not info.get(field, True)]
        limits = [f"this kernel cannot limit the {limit} of a container" for limit in missing]
        return [*self._networks.problems(), *limits]

    def remove(self) -> None:
        """Takes away every container, network and firewall rule of the platform."""
        with self._engine.doing("remove the platform's processes"):
            labelled = {"label": [f"{naming.PLATFORM}={self._platform}"]}
            everything = self._engine.api.containers(all=True, filters=labelled)
            retire.take_away(
                self._engine, [(each["Id"], float(each["Labels"].get(naming.GRACE, 0))) for each in everything]
            )
        self._networks.remove()

    def _keep_last_lines(self, container: str) -> None:
        if self._logs:
            last_lines.keep(self._engine, container, self._logs)

    def close(self) -> None:
        """Ends our connections to the engine; what runs goes on."""
        self._engine.close()
