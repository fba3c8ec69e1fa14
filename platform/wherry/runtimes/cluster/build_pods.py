"""Builds as Jobs of a cluster: an adapter of the BuildPods port.

A Job lives as long as its worker waits for it. A worker that dies leaves it to end by itself, by its deadline at the
latest, and its remains go soon after. The next attempt removes it first, so that of two pods of one build one counts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from wherry.domain.errors import Cancelled, Conflict, NotFound, PlatformFault, WherryError
from wherry.domain.registry_names import Place
from wherry.flow.pod_ports import BuildPod
from wherry.flow.ports import Cancel, Say
from wherry.logins import Login
from wherry.runtimes.cluster import build_manifests as manifests
from wherry.runtimes.cluster import build_verdict as verdict
from wherry.runtimes.cluster import naming
from wherry.runtimes.cluster.build_follow import WINDOW, Follow
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errors import Gone
from wherry.runtimes.cluster.ground import Pulls
from wherry.runtimes.cluster.kinds import JOB, POD, Object

log = logging.getLogger(__name__)
_AGAIN = 2.0
_GONE_SECONDS = 60.0


@dataclass
class ClusterBuildPods:
    """`pulls`: our registry as nodes name it. `registry`, `networks`: what builds may reach beside public
    addresses (build_manifests.surroundings). `patience`: seconds that the cluster may be away while a build runs.
    """

    client: Client
    platform: str
    pulls: Pulls
    registry: Sequence[Object] = ()
    networks: Sequence[str] = ()
    patience: float = 600.0
    _lock: Lock = field(default_factory=Lock)
    _ready: bool = False
    _login: Login | None = None

    def run(self, pod: BuildPod, on_line: Callable[[bytes], bool], say: Say, cancel: Cancel) -> WherryError | None:
        name = manifests.job_name(pod.build_id, pod.attempt)
        over = Event()
        try:
            self._create(pod)
            cancel.on_cancel(lambda: Thread(target=self._cancel, args=(name, over), daemon=True).start())
            follow = Follow(self.client, self.namespace, name, pod, on_line, say, cancel, self.patience)
            found = follow.run()
        finally:
            over.set()
            self._remove(name)
        if cancel.cancelled:
            raise Cancelled("the build was cancelled")
        return found

    def sweep(self, build_id: int, attempt: int) -> None:
        selector = f"{manifests.BUILD}={build_id},{naming.PLATFORM}={self.platform}"
        try:
            jobs, _ = self.client.list(JOB, self.namespace, labels=selector)
        except NotFound:
            return
        for job in jobs:
            if int(job["metadata"]["labels"].get(manifests.ATTEMPT, 0)) < attempt:
                self.client.delete(JOB, self.namespace, job["metadata"]["name"])
                self._await_end(job["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return manifests.namespace_name(self.platform)

    # -- made

    def _create(self, pod: BuildPod) -> None:
        """The Job first: it owns the Secret, which so never outlives it. Its pod waits for that."""
        self._prepare()
        try:
            job = self._made(pod)
        except NotFound:  # the namespace was taken away
            self._ready = False
            self._prepare()
            job = self._made(pod)
        with suppress(Conflict):
            self.client.create(manifests.inputs(self.platform, pod, job))

    def _made(self, pod: BuildPod) -> Object:
        wanted = manifests.job(self.platform, pod)
        try:
            return self.client.create(wanted)
        except Conflict:  # of this very attempt, by a request that was sent twice
            return self.client.get(JOB, self.namespace, wanted["metadata"]["name"])

    def _prepare(self) -> None:
        """What all builds share: once in the life of a worker, and the login of the nodes whenever it is another one."""
        login = self.pulls.logins.current()
        with self._lock:
            if not self._ready:
                for each in manifests.surroundings(self.platform, self.registry, self.networks):
                    self.client.apply(each)
            if login.username and (not self._ready or login != self._login):
                host = Place.of(self.pulls.address).host
                self.client.apply(manifests.pull_secret(self.platform, host, login))
            self._ready, self._login = True, login

    # -- removed

    def _cancel(self, name: str, over: Event) -> None:
        """Until it is done, or whoever waits for the build does it himself."""
        while not over.is_set():
            try:
                self.client.delete(JOB, self.namespace, name)
            except PlatformFault as error:
                log.warning("the Job %s of a cancelled build is still there: %s", name, " | ".join(error.lines()))
                over.wait(_AGAIN)
            else:
                return

    def _remove(self, name: str) -> None:
        """What cannot be removed now ends by its deadline, and goes then."""
        try:
            self.client.delete(JOB, self.namespace, name)
        except PlatformFault as error:
            log.warning("the Job %s of a build that has ended is still there: %s", name, " | ".join(error.lines()))

    def _await_end(self, job: str) -> None:
        """Raises PlatformFault when a pod of it runs on."""
        selector, until = f"job-name={job}", time.monotonic() + _GONE_SECONDS
        while time.monotonic() < until:
            found, version = self.client.list(POD, self.namespace, labels=selector)
            if all(verdict.ended(each) for each in found):
                return
            with (
                suppress(Gone),
                self.client.watch(POD, version, WINDOW, namespace=self.namespace, labels=selector) as events,
            ):
                for event in events:
                    if event["type"] == "DELETED":
                        break
        raise PlatformFault(f"the pod of an earlier attempt does not end: {job}")
