"""The whole adapter of the Runtime port on a cluster: processes, and what runs once beside them."""

from __future__ import annotations

from collections.abc import Collection

from wherry.domain.one_off import PROCESS, Task
from wherry.domain.workload import Workload
from wherry.flow.ports import Cancel, MarkedSay
from wherry.flow.task_ports import Session, TaskState
from wherry.runtimes.cluster import kinds, once, one_offs, pods
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.ground import Ground
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.naming import Identity
from wherry.runtimes.cluster.rollout import Rollout
from wherry.runtimes.cluster.runtime import ClusterProcesses
from wherry.runtimes.cluster.talk import Talk
from wherry.runtimes.cluster.tools import Tools


class ClusterRuntime(ClusterProcesses):
    def __init__(self, client: Client, ground: Ground) -> None:
        super().__init__(client, ground)
        self._errands = Tools(client, self._world, ground, Talk(client.credentials), self._furnish)

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
        self._world.need(kinds.POD)
        with self._client.telling(say):
            return once.run(self._errands, workload, say, cancel, number, leave, resume=resume, heard=heard)

    def launch(self, task: Task) -> None:
        self._world.need(kinds.POD)
        one_offs.launch(self._errands, task)

    def attach(self, task: Task) -> Session:
        self._world.need(kinds.POD)
        return one_offs.attach(self._errands, task)

    def enter(self, task: Task, process: str) -> Session:
        self._world.need(kinds.POD)
        return one_offs.enter(self._errands, task, process, self._pod_of(task.workload.app_id, process))

    def tasks(self, app_id: int | None = None) -> list[TaskState]:
        return one_offs.tasks(self._errands, app_id)

    def end(self, ids: Collection[int]) -> None:
        one_offs.end(self._errands, ids)

    def _furnish(self, workload: Workload) -> None:
        Rollout(self._tools, lambda _: None).prepare([workload])

    def _pod_of(self, app_id: int, process: str) -> Object | None:
        """The newest release's that runs."""
        match = PROCESS.fullmatch(process)
        if match is None:
            return None
        there: dict[int, list[Object]] = {}
        for each in self._world.of(kinds.POD, self._errands.namespace(app_id)):
            who = Identity.of(each["metadata"].get("labels", {}))
            if who and who.type == match[1] and pods.is_process(each) and not pods.is_leaving(each):
                there.setdefault(who.release, []).append(each)
        for release in sorted(there, reverse=True):
            for index, pod in pods.numbered(there[release]):
                if index == int(match[2]) and "running" in (pods.container(pod).get("state") or {}):
                    return pod
        return None
