"""Builds as Jobs of a cluster: an adapter of the BuildPods port.

A Job outlives the worker that began it: the next one finds it by its labels and goes on with it. What nobody comes for
ends by itself, by its deadline at the latest, and its remains go soon after. Before another attempt begins, all that
there is of the build is removed, so that of two pods of one build one counts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from wherry.domain.errors import Cancelled, Conflict, NotFound, PlatformFault, WherryError
from wherry.domain.registry_names import Place
from wherry.flow.pod_ports import BuildPod, Caps, Ears
from wherry.logins import Login
from wherry.runtimes.cluster import build_manifests as manifests
from wherry.runtimes.cluster import build_verdict as verdict
from wherry.runtimes.cluster import naming
from wherry.runtimes.cluster.build_follow import WINDOW, Follow
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errors import Gone
from wherry.runtimes.cluster.ground import Pulls
from wherry.runtimes.cluster.kinds import JOB, POD, SECRET, Object

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

    def begin(self, pod: BuildPod) -> None:
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

    def left(self, build_id: int) -> int | None:
        jobs = [each for each in self._jobs(build_id) if "deletionTimestamp" not in each["metadata"]]
        if not jobs or not self._can_be_followed(newest := max(jobs, key=_attempt)):
            return None
        return _attempt(newest)

    def follow(self, build_id: int, attempt: int, caps: Caps, ears: Ears) -> WherryError | None:
        name = manifests.job_name(build_id, attempt)
        over, cancel = Event(), ears.cancel
        cancel.on_cancel(lambda: Thread(target=self._cancel, args=(name, over), daemon=True).start())
        try:
            found = Follow(self.client, self.namespace, name, caps, ears, self.patience).run()
        finally:
            over.set()
        if cancel.cancelled:
            self._remove(name)
            raise Cancelled("the build was cancelled")
        return found

    def sweep(self, build_id: int, *, wait: bool = False) -> None:
        jobs = self._jobs(build_id)
        for job in jobs:
            self.client.delete(JOB, self.namespace, job["metadata"]["name"])
        for job in jobs if wait else ():
            self._await_end(job["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return manifests.namespace_name(self.platform)

    # -- found

    def _jobs(self, build_id: int) -> list[Object]:
        selector = f"{manifests.BUILD}={build_id},{naming.PLATFORM}={self.platform}"
        try:
            return self.client.list(JOB, self.namespace, labels=selector)[0]
        except NotFound:
            return []

    def _can_be_followed(self, job: Object) -> bool:
        """Not one whose worker died before it had made the Secret, nor one that has ended and has no pod any more."""
        name = job["metadata"]["name"]
        try:
            self.client.get(SECRET, self.namespace, name)
        except NotFound:
            return False
        conditions = job.get("status", {}).get("conditions") or ()
        if not any(each["type"] in ("Complete", "Failed") and each["status"] == "True" for each in conditions):
            return True
        return bool(self.client.list(POD, self.namespace, labels=f"job-name={name}")[0])

    # -- made

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
            log.warning("the Job %s of a cancelled build is still there: %s", name, " | ".join(error.lines()))

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


def _attempt(job: Object) -> int:
    return int(job["metadata"]["labels"].get(manifests.ATTEMPT, 0))
