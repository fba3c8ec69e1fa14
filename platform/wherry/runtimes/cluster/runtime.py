"""Processes as pods of Deployments in one cluster: the adapter of the Runtime port, apart from its one-offs. Each method
is one file beside this.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from threading import Event

from wherry.domain.errors import PlatformFault
from wherry.domain.image import Image
from wherry.domain.workload import Process, Workload
from wherry.flow.ports import Say
from wherry.runtimes.cluster import kinds, namespace, naming, pods
from wherry.runtimes.cluster.apply import Applier
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errors import Unreachable
from wherry.runtimes.cluster.ground import Ground
from wherry.runtimes.cluster.naming import Identity
from wherry.runtimes.cluster.news import News, Ours, Unwell
from wherry.runtimes.cluster.retire import Retire
from wherry.runtimes.cluster.rollout import Rollout, Tools
from wherry.runtimes.cluster.world import World

_AWAY = 600.0
"""Seconds that a start waits for a cluster that does not answer, before the job is given back."""


class ClusterProcesses:
    """Several of one platform, in several programs, may live at the same time; one of them starts things for an app."""

    by_load = has_volumes = True

    def __init__(self, client: Client, ground: Ground) -> None:
        self._client, self._ground = client, ground
        self._world = World(client, ground.platform)
        self._ours = Ours()
        self._tools = Tools(client, self._world, ground, Applier(client, self._world))

    def fetch(self, image: Image) -> None:
        """Which nodes will want it is the cluster's to say."""

    def start(self, workloads: Sequence[Workload], say: Say) -> None:
        if workloads:
            with self._changing(workloads, say):
                self._patiently(lambda: Rollout(self._tools, say).start(workloads), say)

    def insist(self, workloads: Sequence[Workload]) -> None:
        if workloads:
            with self._changing(workloads, lambda _: None):
                Rollout(self._tools, lambda _: None).insist(workloads)

    def retire(self, app_id: int, keep: Sequence[Workload], *, by_name: bool = False, runs: bool = False) -> None:
        with self._ours.during({app_id}):
            story = Retire(self._tools, app_id)
            if runs and not keep:
                story.whole()
            else:
                story.run(keep, by_name=by_name)

    def discard(self, images: Collection[tuple[str, str]]) -> None:
        """Nodes tidy up after themselves."""

    def processes(self, app_id: int | None = None) -> list[Process]:
        try:
            self._world.need(kinds.POD)
            self._world.check(kinds.POD)
            place = naming.namespace(self._ground.platform, app_id) if app_id is not None else ""
            found = self._world.of(kinds.POD, place)
        except PlatformFault:
            # What we know may be old: ask, and hear whether it is only the watch that is broken.
            found, _ = self._client.list(kinds.POD, labels=naming.of_platform(self._ground.platform, app_id))
        return pods.processes(found)

    def look_after(self, stop: Event, told: Callable[[int, str, str], None]) -> None:
        """The nodes make the liveness checks and restart what fails them; here it is told."""
        Unwell(self._client, self._world, told, self._renew_logins).run(stop)

    def watch(self, on_change: Callable[[int], None], on_one_off: Callable[[], None] = lambda: None) -> None:
        News(self._world, self._ours, on_change, on_one_off).run()

    def problems(self) -> list[str]:
        """None: what `wherry doctor` asks of a cluster stands in checkup.py."""
        return []

    def remove(self) -> None:
        """Takes away the namespaces of all its apps."""
        labels = naming.of_platform(self._ground.platform)
        found, _ = self._client.list(kinds.NAMESPACE, labels=labels)
        for each in found:
            self._client.delete(kinds.NAMESPACE, "", each["metadata"]["name"])

    def close(self) -> None:
        """Ends our connections to the cluster; what runs goes on."""
        self._world.close()

    def _renew_logins(self) -> None:
        """Logins that end in some hours: a node may have to pull an image again, long after its deploy."""
        login = self._ground.pulls.logins.current()
        self._world.need(kinds.NAMESPACE, kinds.SECRET)
        for each in self._world.of(kinds.NAMESPACE) if login.username else ():
            labels = each["metadata"]["labels"]
            if (who := Identity.of(labels)) and each.get("status", {}).get("phase") == "Active":
                wanted = namespace.login_secret(self._ground, who.app_id, labels["app.kubernetes.io/name"], login)
                self._tools.applier.ensure(wanted)

    @contextmanager
    def _changing(self, workloads: Sequence[Workload], say: Say) -> Iterator[None]:
        with self._ours.during({each.app_id for each in workloads}), self._client.telling(say):
            yield

    def _patiently(self, act: Callable[[], None], say: Say) -> None:
        """Again, for as long as the cluster is away: what it has goes on, and what we do can be done twice."""
        until, told = time.monotonic() + _AWAY, False
        while True:
            try:
                act()
            except Unreachable:
                if time.monotonic() > until:
                    raise
                if not told:
                    say("waiting for the cluster, which does not answer")
                told = True
                Event().wait(random.uniform(1, 3))  # noqa: S311
            else:
                return
