"""Waits until the processes of a plan are ready, by what the watches tell; and sees when they never will be."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from wherry.flow.ports import Say
from wherry.flow.talk import detail
from wherry.runtimes.cluster import kinds, naming, pods
from wherry.runtimes.cluster.ground import Ground
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.plan import Plan, replicas
from wherry.runtimes.cluster.probes import boot_limit
from wherry.runtimes.cluster.world import World

_LAG = 3.0
"""Seconds until a node tells what became of a container."""
_SLOW_PULL = 45.0
_NOT_MADE = 10.0
_REFUSED = 3.0
_NOTHING = 60.0
_LONGEST = 900.0
_NO_SUCH_IMAGE = ("not found", "manifest unknown", "unauthorized", "denied", "forbidden", "invalid reference")
_IMAGE = ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable")
_BEGINNING = ("", "ContainerCreating", "PodInitializing")


@dataclass(frozen=True, slots=True)
class Trouble:
    """`pod` None: there is none, and `said` tells why. `late`: it runs, and was not ready in its time."""

    plan: Plan
    name: str
    pod: Object | None
    said: str = ""
    late: bool = False


@dataclass
class Look:
    """At one plan, again and again. Times are of our own clock, from when we first saw a thing."""

    ground: Ground
    world: World
    plan: Plan
    say: Say
    generation: int = 0
    leaving: frozenset[str] = frozenset()
    """Pods, by uid, that are to be replaced."""
    said: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    seen: dict[tuple[str, str], float] = field(default_factory=dict)
    next: float = 0.0
    done: bool = False

    def begin(self) -> None:
        """Those that are ready already are not told of."""
        self.said |= {each["metadata"]["uid"] for each in self._mine() if pods.is_ready(each)}

    def __call__(self) -> Trouble | None:
        """None while all is well. Sets `done`, and `next`, the time of the next look that a clock asks for."""
        self.next = time.monotonic() + _NOTHING
        mine = self._mine()
        fit = [each for each in mine if pods.is_ready(each) and self._has_settled(each)]
        self._tell(mine, fit)
        live = self.world.get(kinds.DEPLOYMENT, self.plan.namespace, self.plan.workload.type)
        wanted = replicas(live or self.plan.wanted)
        if live and len(fit) >= max(wanted, 1) and self._is_observed(live):
            self.done = True
            return None
        for index, pod in pods.numbered(mine):
            if trouble := self._trouble(f"{self.plan.workload.type}.{index}", pod):
                return trouble
        return self._trouble_without_pods(live, mine)

    def _mine(self) -> list[Object]:
        return [
            each
            for each in self.world.of(kinds.POD, self.plan.namespace)
            if pods.template(each) == self.plan.template
            and "deletionTimestamp" not in each["metadata"]
            and each["metadata"]["uid"] not in self.leaving
        ]

    def _is_observed(self, live: Object) -> bool:
        return bool(live.get("status", {}).get("observedGeneration", 0) >= self.generation)

    def _has_settled(self, pod: Object) -> bool:
        return self.plan.workload.listens or self._lasted(pod, "ready", self.plan.workload.settle)

    def _tell(self, mine: list[Object], fit: list[Object]) -> None:
        ready = {each["metadata"]["uid"] for each in fit} - self.said
        for index, pod in pods.numbered(mine):
            if (uid := pod["metadata"]["uid"]) in ready:
                self.said.add(uid)
                name = f"{self.plan.workload.type}.{index}"
                if name not in self.names:
                    self.names.add(name)
                    detail(self.say, f"{name} is up")

    def _trouble(self, name: str, pod: Object) -> Trouble | None:
        if pods.is_ready(pod):
            return None
        status = pods.container(pod)
        state = status.get("state", {})
        trouble = Trouble(self.plan, name, pod)
        if pods.last_end(status) or pod.get("status", {}).get("phase") == "Failed":
            return trouble
        if state.get("running"):
            late = self._lasted(pod, "running", boot_limit(self.plan.workload) + _LAG)
            return Trouble(self.plan, name, pod, late=True) if late else None
        waiting = state.get("waiting", {})
        reason, said = waiting.get("reason", ""), str(waiting.get("message", "")).lower()
        if reason in _IMAGE:
            hopeless = any(each in said for each in _NO_SUCH_IMAGE)
            return trouble if hopeless or self._lasted(pod, "image", _SLOW_PULL) else None
        if reason not in _BEGINNING:
            return trouble if self._lasted(pod, "made", _NOT_MADE) else None
        if pods.condition(pod, "PodScheduled").get("status") == "False":
            return trouble if self._lasted(pod, "scheduled", self.ground.unschedulable) else None
        return trouble if self._lasted(pod, "all", _LONGEST) else None

    def _trouble_without_pods(self, live: Object | None, mine: list[Object]) -> Trouble | None:
        """The cluster makes no pods: a quota, an admission policy, or it does nothing at all."""
        refused = pods.condition(live or {}, "ReplicaFailure")
        beginning = [each for each in mine if not pods.is_ready(each)]
        if beginning or self._others_leave():
            self.seen.pop(("", "refused"), None)
            return None
        if refused.get("status") == "True" and live and self._is_observed(live):
            if self._lasted_since("", "refused", _REFUSED):
                return Trouble(self.plan, self.plan.workload.type, None, refused.get("message", ""))
            return None
        if not mine and self._lasted_since("", "nothing", _NOTHING):
            return Trouble(self.plan, self.plan.workload.type, None, "")
        return None

    def _others_leave(self) -> bool:
        """Earlier processes that are on their way out make room."""
        return any(
            "deletionTimestamp" in each["metadata"]
            for each in self.world.of(kinds.POD, self.plan.namespace)
            if each["metadata"].get("labels", {}).get(naming.PROCESS) == self.plan.workload.type
        )

    def _lasted(self, pod: Object, what: str, seconds: float) -> bool:
        return self._lasted_since(pod["metadata"]["uid"], what, seconds)

    def _lasted_since(self, uid: str, what: str, seconds: float) -> bool:
        until = self.seen.setdefault((uid, what), time.monotonic()) + seconds
        if time.monotonic() >= until:
            return True
        self.next = min(self.next, until)
        return False


def wait(world: World, looks: list[Look], is_lost: Callable[[], None]) -> Trouble | None:
    """Until all are done, or the first that will never be. `is_lost` is called now and then, and may raise."""
    with world.changed:
        while True:
            for look in looks:
                if not look.done and (trouble := look()):
                    return trouble
            left = [each.next for each in looks if not each.done]
            if not left:
                return None
            world.changed.wait(max(min(left) - time.monotonic(), 0.01))
            is_lost()
