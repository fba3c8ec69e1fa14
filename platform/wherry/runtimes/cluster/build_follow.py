"""One build's pod from its making to its end, as its worker follows it: what it waits for, what it says, how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock

from wherry.domain.errors import Cancelled, NotFound, PlatformFault, WherryError
from wherry.domain.text import printable
from wherry.flow.pod_ports import Away, Caps, Ears
from wherry.flow.talk import detail
from wherry.runtimes.cluster import build_verdict as verdict
from wherry.runtimes.cluster.answers import Answer
from wherry.runtimes.cluster.build_manifests import EXPORT, FETCH
from wherry.runtimes.cluster.build_verdict import Lack, Want
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errors import Gone
from wherry.runtimes.cluster.kinds import EVENT, POD, Object

WINDOW = 10
"""Seconds of a watch; so long a cancel may wait when there is no pod whose end would tell."""
_SILENCE = 300.0
_MOST = {Want.ROOM: 600.0, Want.IMAGE: 120.0, Want.NODE: 300.0}
_SLOW = 60.0
_NO_POD = 30.0
_AGAIN = 2.0
_LONGEST_LINE = 256 * 1024


@dataclass
class Follow:
    """`patience`: seconds that the cluster may be away; the pod goes on meanwhile."""

    client: Client
    namespace: str
    job: str
    caps: Caps
    ears: Ears
    patience: float
    _wake: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)
    _answer: Answer | None = None
    _away: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _lack: Lack | None = None
    _lacking: float = 0.0
    _told: bool = False
    _pod: Object | None = None
    _version: str = ""

    def run(self) -> WherryError | None:
        """As BuildPods.follow. Raises Cancelled when the pod was left, Away, PlatformFault."""
        self.ears.cancel.on_cancel(self._wake.set)
        self.ears.leave.on_cancel(self._leave)
        for container in (FETCH, EXPORT):
            pod = self._until(partial(_began_or_ended, container))
            if pod is None or not verdict.began(pod, container):
                break
            if self._read(pod["metadata"]["name"], container) and container == EXPORT:
                return None
        pod = None if self._is_stopped else self._until(verdict.ended)
        if self.ears.cancel.cancelled:
            return None
        if self.ears.leave.cancelled:
            raise Cancelled("the build was left running")
        return verdict.of(pod, self.caps)

    # -- stopped

    @property
    def _is_stopped(self) -> bool:
        return self.ears.cancel.cancelled or self.ears.leave.cancelled

    def _leave(self) -> None:
        with self._lock:
            if self._answer is not None:
                self._answer.shutdown()
        self._wake.set()

    def _hold(self, answer: Answer | None) -> None:
        """What is read now; whoever leaves ends it. A cancelled pod ends it itself."""
        with self._lock:
            self._answer = answer
            if answer is not None and self.ears.leave.cancelled:
                answer.shutdown()

    # -- the pod's object

    def _until(self, done: Callable[[Object], bool]) -> Object | None:
        """The pod as soon as `done`; None when it is gone, or we are stopped."""
        for pod in self._states():
            if pod is not None and (pod.get("metadata", {}).get("deletionTimestamp") and verdict.ended(pod)):
                return pod
            if pod is not None and done(pod):
                return pod
            self._complain(pod)
        return None

    def _states(self) -> Iterator[Object | None]:
        """The pod whenever it changes, and now and then; None where there is none yet. It ends when the pod is gone."""
        while not self._is_stopped:
            try:
                if not self._version:
                    found, self._version = self.client.list(POD, self.namespace, labels=self._selector)
                    if self._pod is not None and not found:
                        return
                    self._pod = found[0] if found else None
                yield self._pod
                for event in self._events(self._version):
                    self._version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] == "DELETED":
                        self._version = ""  # whoever looks again sees that it is gone
                        return
                    if event["type"] != "BOOKMARK":
                        self._pod = event["object"]
                        yield self._pod
                self._away = 0.0
            except Gone:
                self._version = ""
            except PlatformFault as fault:
                self._version = ""
                self._wait(fault)

    def _events(self, version: str) -> Iterator[Object]:
        try:
            with self.client.watch(
                POD, version, WINDOW, namespace=self.namespace, labels=self._selector, opened=self._hold
            ) as events:
                yield from events
        finally:
            self._hold(None)

    @property
    def _selector(self) -> str:
        return f"job-name={self.job}"

    def _wait(self, fault: PlatformFault) -> None:
        """Raises Away when it has gone on for too long."""
        now = time.monotonic()
        self._away = self._away or now
        if now - self._away > self.patience:
            raise Away(fault.message, evidence=fault.evidence, hint=fault.hint) from fault
        self._wake.wait(_AGAIN)

    # -- what it waits for

    def _complain(self, pod: Object | None) -> None:
        """Raises PlatformFault for what has not come in its time."""
        now = time.monotonic()
        if pod is None:
            if now - self._began > _NO_POD:
                raise self._no_pod()
            return
        lack = verdict.lack(pod)
        if lack is None or self._lack is None or lack.want != self._lack.want:
            self._lacking, self._told = now, False
        self._lack = lack
        if lack and not self._told and now - self._lacking >= (0 if lack.want is Want.ROOM else _SLOW):
            self._told = True
            detail(self.ears.say, _WAITS[lack.want].format(lack.words or self._warning(pod["metadata"]["name"])))
        if lack and now - self._lacking > _MOST[lack.want]:
            raise _fault(Lack(lack.want, lack.words or self._warning(pod["metadata"]["name"])))

    def _no_pod(self) -> PlatformFault:
        return PlatformFault("the cluster does not make the build's pod", evidence=[self._warning(self.job)])

    def _warning(self, name: str) -> str:
        """The newest of the events of an object."""
        events, _ = self.client.list(EVENT, self.namespace, fields=f"involvedObject.name={name},type=Warning")
        events.sort(key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime") or ""))
        return printable(str(events[-1].get("message", "")), 500) if events else "it says nothing"

    # -- what it says

    def _read(self, pod: str, container: str) -> bool:
        """Every line of the container until its end; True once its last word was heard."""
        whole = False
        while not self._is_stopped:
            try:
                for line in self._lines(pod, container):
                    if self.ears.line(line):
                        return True
                self._away = 0.0
                if whole:
                    return False
                # Begun after its end, a reading misses nothing, whyever the one before broke off.
                whole = verdict.over(self.client.get(POD, self.namespace, pod), container)
            except NotFound:
                return False
            except PlatformFault as fault:
                self._wait(fault)
        return False

    def _lines(self, pod: str, container: str) -> Iterator[bytes]:
        rest = b""
        query = {"container": container, "follow": "true"}
        try:
            with self.client.log(self.namespace, pod, query, seconds=_SILENCE, opened=self._hold) as pieces:
                for piece in pieces:
                    *lines, rest = (rest + piece).split(b"\n")
                    yield from lines
                    if len(rest) > _LONGEST_LINE:
                        yield rest
                        rest = b""
        finally:
            self._hold(None)
        if rest:
            yield rest


_WAITS = {
    Want.ROOM: "Waiting for room in the cluster: {}",
    Want.IMAGE: "A container of the build's pod does not start yet: {}",
    Want.NODE: "The build's pod does not start yet: {}",
}


def _began_or_ended(container: str, pod: Object) -> bool:
    return verdict.began(pod, container) or verdict.ended(pod)


def _fault(lack: Lack) -> PlatformFault:
    if lack.want is Want.ROOM:
        hint = "WHERRY_BUILD_MEMORY_MB is what a build asks for; wherry doctor tells what the cluster has."
        return PlatformFault("the cluster has no room for the build", evidence=[lack.words], hint=hint)
    return PlatformFault("a container of the build's pod does not start", evidence=[lack.words])
