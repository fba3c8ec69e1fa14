"""Takes away what a release no longer has: processes, what stood beside them, and configs that nothing reads. Only what
carries our labels, and no volume: what is in one goes with its app.
"""

from __future__ import annotations

from collections.abc import Sequence

from wherry.domain.errors import PlatformFault
from wherry.domain.workload import Workload
from wherry.runtimes.cluster import kinds, manifests, naming, plan, pods
from wherry.runtimes.cluster.apply import KEPT, why_stuck
from wherry.runtimes.cluster.errors import HINT
from wherry.runtimes.cluster.kinds import Object, kind_of
from wherry.runtimes.cluster.naming import Identity
from wherry.runtimes.cluster.rollout import Tools, prefer_to_end, type_pods

_GONE = 60.0
NAMESPACE_GONE = 120.0
_BESIDE = (kinds.SERVICE, kinds.DISRUPTION_BUDGET, kinds.AUTOSCALER)


class Retire:
    """One call."""

    def __init__(self, tools: Tools, app_id: int) -> None:
        self._tools = tools
        self._world = tools.world
        self._place = naming.namespace(tools.ground.platform, app_id)
        self._world.need(*KEPT, kinds.POD)

    def run(self, keep: Sequence[Workload], *, by_name: bool) -> None:
        asked = {each.type: each for each in keep}
        for live in self._world.of(kinds.DEPLOYMENT, self._place):
            wanted = asked.get(live["metadata"]["name"])
            if wanted is None or not self._stays(wanted, live, by_name=by_name):
                self._tools.applier.take_away(kinds.DEPLOYMENT, self._place, [live["metadata"]["name"]])
            elif not wanted.autoscale and plan.replicas(live) > wanted.quantity:
                self._shrink(live, wanted.quantity)
        self._clear_up(asked)
        self._await_end()

    def whole(self) -> None:
        """The app's namespace and all in it, volumes too. Raises PlatformFault when it does not go."""
        if not self._world.names(kinds.NAMESPACE, self._place):
            return
        self._tools.client.delete(kinds.NAMESPACE, "", self._place)
        if self._world.wait_for(lambda: not self._world.names(kinds.NAMESPACE, self._place), NAMESPACE_GONE):
            return
        live = self._world.get(kinds.NAMESPACE, self._place, self._place) or {}
        raise PlatformFault(f"the namespace {self._place} does not go away", evidence=why_stuck(live), hint=HINT)

    def _stays(self, wanted: Workload, live: Object, *, by_name: bool) -> bool:
        if by_name and plan.release_of(live) == wanted.release:
            return True
        return plan.is_as_asked(self._tools.ground.platform, wanted, live)

    def _shrink(self, live: Object, quantity: int) -> None:
        """The last ones go: web.3 before web.2."""
        name = live["metadata"]["name"]
        there = [each for each in type_pods(self._world, self._place, name) if not pods.is_leaving(each)]
        prefer_to_end(self._tools.client, [pod for index, pod in pods.numbered(there) if index > quantity])
        fewer = plan.as_it_is(live)
        fewer["spec"]["replicas"] = quantity
        self._tools.applier.ensure(fewer)

    def _clear_up(self, asked: dict[str, Workload]) -> None:
        left = self._world.of(kinds.DEPLOYMENT, self._place)
        types = {each["metadata"]["name"] for each in left}
        wanted = {
            (kind_of(each), each["metadata"]["name"])
            for name, workload in asked.items()
            if name in types
            for each in manifests.around(self._tools.ground, workload)
        }
        for kind in _BESIDE:
            ours = {each["metadata"]["name"] for each in self._world.of(kind, self._place) if _is_of_a_process(each)}
            self._tools.applier.take_away(kind, self._place, [name for name in ours if (kind, name) not in wanted])
        self._forget_configs(left)

    def _forget_configs(self, left: Sequence[Object]) -> None:
        """Of releases before those that run: a release phase or one-off may still begin with a newer one."""
        configs = {
            each["metadata"]["name"]: plan.release_of(each)
            for each in self._world.of(kinds.SECRET, self._place)
            if naming.RELEASE in each["metadata"].get("labels", {})
        }
        oldest = min(map(plan.release_of, left), default=max(configs.values(), default=0))
        self._tools.applier.take_away(
            kinds.SECRET, self._place, [name for name, release in configs.items() if release < oldest]
        )

    def _await_end(self) -> None:
        """Until every process that is left belongs to what is left; their ends are graceful, and not waited for."""
        self._world.wait_for(self._is_ended, _GONE)

    def _is_ended(self) -> bool:
        left = {each["metadata"]["name"]: each for each in self._world.of(kinds.DEPLOYMENT, self._place)}
        there = [
            each
            for each in self._world.of(kinds.POD, self._place)
            if pods.is_process(each) and not pods.is_leaving(each)
        ]
        for pod in there:
            who = Identity.of(pod["metadata"].get("labels", {}))
            live = left.get(who.type) if who else None
            if live is None or pods.template(pod) != plan.template_of(live):
                return False
        return all(_count(there, name) <= plan.replicas(live) for name, live in left.items())


def _count(there: Sequence[Object], name: str) -> int:
    return sum(1 for each in there if each["metadata"]["labels"].get(naming.PROCESS) == name)


def _is_of_a_process(found: Object) -> bool:
    return naming.PROCESS in found["metadata"].get("labels", {})
