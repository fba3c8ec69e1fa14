"""Makes every process that is asked for run, all of them or none: written by the cluster's own rolling update, waited for
by watches, and put back as it was when one of them does not come up.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from wherry.domain.errors import PlatformFault, RolloutFailed, RolloutFailure
from wherry.domain.workload import Workload
from wherry.flow.ports import Say
from wherry.flow.talk import detail
from wherry.runtimes.cluster import kinds, manifests, namespace, naming, plan, pods
from wherry.runtimes.cluster.apply import KEPT, Applier
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errors import HINT, Refused
from wherry.runtimes.cluster.explain import Explainer, refused
from wherry.runtimes.cluster.ground import Ground
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.plan import Plan
from wherry.runtimes.cluster.pod_spec import config_secret
from wherry.runtimes.cluster.probes import left_out
from wherry.runtimes.cluster.waiting import Look, Trouble, wait
from wherry.runtimes.cluster.world import World

_HANDOVER = "wherry-handover"
_UNDONE = 60.0
_BEGIN = 10.0
_LOST = 60.0
_STOPPED = 90.0


@dataclass(frozen=True)
class Tools:
    """What all stories of one runtime share."""

    client: Client
    world: World
    ground: Ground
    applier: Applier


class Rollout:
    """One call of `start`."""

    def __init__(self, tools: Tools, say: Say) -> None:
        self._client, self._world, self._ground = tools.client, tools.world, tools.ground
        self._applier = tools.applier
        self._say = say
        self._lost = 0.0
        self._scaled: set[str] = set()

    def start(self, workloads: Sequence[Workload]) -> None:
        """Returns when all are ready. Raises RolloutFailed (with everything as it was before), PlatformFault."""
        self.prepare(workloads)
        plans = self._plans(workloads)
        written: list[Plan] = []
        try:
            looks = [look for each in plans if (look := self._write(each, written))]
            if trouble := wait(self._world, looks, self._check_lost):
                raise self._why(trouble)
        except RolloutFailed:
            for each in reversed(written):
                self._undo(each)
            raise

    def prepare(self, workloads: Sequence[Workload]) -> None:
        """The namespace of each app, and what stands in it beside the processes."""
        self._world.need(*KEPT, kinds.POD)
        login = self._ground.pulls.logins.current()
        for app_id, app_name in {each.app_id: each.app_name for each in workloads}.items():
            self._applier.check_namespace(naming.namespace(self._ground.platform, app_id))
            for wanted in namespace.objects(self._ground, app_id, app_name, login):
                self._applier.ensure(wanted)

    def insist(self, workloads: Sequence[Workload]) -> None:
        """Makes what is not there at all begin, and leaves it to the cluster. Raises RolloutFailed, PlatformFault."""
        self.prepare(workloads)
        plans = self._plans(workloads)
        for each in plans:
            live = each.before
            same = live is not None and plan.release_of(live) == each.workload.release
            if live and same:
                wanted = plan.as_it_is(live)
                if not each.workload.autoscale:
                    wanted["spec"]["replicas"] = max(each.workload.quantity, plan.replicas(live))
            else:
                wanted = each.wanted
            wanted["metadata"]["annotations"] |= {naming.INSISTED: "yes"}
            self._apply(each, wanted)
        self._world.wait_for(lambda: all(map(self._has_begun, plans)), _BEGIN)

    def _plans(self, workloads: Sequence[Workload]) -> list[Plan]:
        return [
            plan.plan(
                self._ground,
                each,
                self._world.get(kinds.DEPLOYMENT, naming.namespace(self._ground.platform, each.app_id), each.type),
            )
            for each in workloads
        ]

    def _write(self, each: Plan, written: list[Plan]) -> Look | None:
        """What there is to wait for then."""
        look = Look(self._ground, self._world, each, self._say)
        look.begin()
        if self._has_autoscaler(each):
            self._scaled.add(each.workload.type)
        each = self._stop_first(each)
        look.plan = each
        if each.is_new_template:
            for sentence in left_out(each.workload):
                detail(self._say, sentence)
        if each.waits:
            written.append(each)
        made = self._apply(each, each.wanted)
        look.generation = made["metadata"].get("generation", 0)
        look.leaving = self._replace_single_ones(each)
        return look if each.waits else None

    def _apply(self, each: Plan, wanted: Object) -> Object:
        try:
            self._applier.ensure_once(config_secret(self._ground, each.workload))
            self._hand_over(each)
            for beside in manifests.around(self._ground, each.workload):
                self._applier.ensure(beside)
            return self._applier.ensure(wanted)
        except Refused as error:
            raise refused(each.workload, error.message) from error

    def _hand_over(self, each: Plan) -> None:
        """The replicas to an autoscaler that is about to come: what we set and no longer set would fall back to one."""
        if not each.workload.autoscale or each.before is None or self._has_autoscaler(each):
            return
        about = {"name": each.workload.type, "namespace": each.namespace}
        spec = {"replicas": plan.replicas(each.before)}
        self._client.apply(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": spec}, manager=_HANDOVER
        )

    def _has_autoscaler(self, each: Plan) -> bool:
        return each.workload.type in self._world.names(kinds.AUTOSCALER, each.namespace)

    def _stop_first(self, each: Plan) -> Plan:
        """Ends those whose successors must not begin before. What is stopped whole has nothing to go back to."""
        if not each.stop or each.before is None:
            return each
        if each.stops_all:
            there = type_pods(self._world, each.namespace, each.workload.type)
            self._applier.take_away(kinds.DEPLOYMENT, each.namespace, [each.workload.type])
            self._await_end(each, there)
            return Plan(each.workload, each.wanted, None)
        chosen = [pod for index, pod in pods.numbered(self._pods(each)) if index in each.stop]
        prefer_to_end(self._client, chosen)
        fewer = plan.as_it_is(each.before)
        fewer["spec"]["replicas"] = max(plan.replicas(each.before) - len(chosen), 0)
        self._applier.ensure(fewer)
        self._await_end(each, chosen)
        return each

    def _replace_single_ones(self, each: Plan) -> frozenset[str]:
        chosen = [pod for index, pod in pods.numbered(self._pods(each)) if index in each.again]
        for pod in chosen:
            self._client.delete(kinds.POD, each.namespace, pod["metadata"]["name"])
        return frozenset(pod["metadata"]["uid"] for pod in chosen)

    def _has_begun(self, each: Plan) -> bool:
        """There is a pod of it, or the cluster said why not."""
        live = self._world.get(kinds.DEPLOYMENT, each.namespace, each.workload.type) or {}
        return bool(self._pods(each)) or pods.condition(live, "ReplicaFailure").get("status") == "True"

    def _pods(self, each: Plan) -> list[Object]:
        """Of its type, whatever their template, that are not leaving."""
        return [pod for pod in type_pods(self._world, each.namespace, each.workload.type) if not pods.is_leaving(pod)]

    def _await_end(self, each: Plan, ending: Sequence[Object]) -> None:
        going = {pod["metadata"]["uid"] for pod in ending}

        def gone() -> bool:
            there = type_pods(self._world, each.namespace, each.workload.type)
            return not going & {pod["metadata"]["uid"] for pod in there}

        if not self._world.wait_for(gone, each.workload.stop_grace + _STOPPED):
            raise PlatformFault(f"{each.workload.type} of {each.workload.app_name} does not end", hint=HINT)

    def _check_lost(self) -> None:
        """Waits on for a cluster that is away for a moment; PlatformFault when it stays away."""
        if not self._world.lost():
            self._lost = 0.0
        elif not self._lost:
            self._lost = time.monotonic()
        elif time.monotonic() - self._lost > _LOST:
            self._world.check(kinds.POD, kinds.DEPLOYMENT)

    def _why(self, trouble: Trouble) -> RolloutFailed:
        workload = trouble.plan.workload
        if trouble.pod is not None:
            explainer = Explainer(self._client)
            return explainer.failure(workload, trouble.name, trouble.pod, late=trouble.late)
        if trouble.said:
            return refused(workload, trouble.said)
        message = f"the cluster starts no process of {workload.type}: its controllers do nothing"
        return RolloutFailed(RolloutFailure.PLATFORM, message, hint=HINT)

    def _undo(self, each: Plan) -> None:
        """As it was before; what began with it is gone, or about to be."""
        before = self._earlier(each)
        if before is None:
            self._applier.take_away(kinds.DEPLOYMENT, each.namespace, [each.workload.type])
        else:
            if each.workload.autoscale and each.workload.type in self._scaled:
                before["spec"].pop("replicas", None)
            self._applier.ensure(before)
        ends = before is None or plan.template_of(before) != each.template

        def undone() -> bool:
            there = self._pods(each)
            mine = [pod for pod in there if pods.template(pod) == each.template]
            if ends:
                old = [pod for pod in there if pods.template(pod) != each.template]
                return not mine and (
                    before is None or bool(each.workload.autoscale) or len(old) == plan.replicas(before)
                )
            return each.workload.autoscale is not None or len(mine) <= plan.replicas(before or {"spec": {}})

        self._world.wait_for(undone, _UNDONE)

    def _earlier(self, each: Plan) -> Object | None:
        """As we saw it before we wrote; where an earlier call was cut off, what the cluster remembers of it."""
        if each.before is None:
            return None
        if each.is_new_template or plan.has_passed(each.before):
            return plan.as_it_is(each.before)
        labels = ",".join(
            f"{key}={value}" for key, value in naming.selector(self._ground.platform, each.workload).items()
        )
        found, _ = self._client.list(kinds.REPLICA_SET, each.namespace, labels=labels)
        sets = [one for one in found if one["status"].get("readyReplicas") and _template_of_set(one) != each.template]
        newest = max(sets, key=lambda one: str(one["metadata"]["creationTimestamp"]), default=None)
        return plan.with_template(each.before, newest["spec"]["template"]) if newest else None


def type_pods(world: World, place: str, type: str) -> list[Object]:
    """The pods of the processes of a type."""
    return [
        each
        for each in world.of(kinds.POD, place)
        if pods.is_process(each) and each["metadata"].get("labels", {}).get(naming.PROCESS) == type
    ]


def prefer_to_end(client: Client, chosen: Sequence[Object]) -> None:
    """When there shall be fewer, these go first."""
    note = {"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-1"}}}
    for pod in chosen:
        client.merge(kinds.POD, pod["metadata"]["namespace"], pod["metadata"]["name"], note)


def _template_of_set(found: Object) -> str:
    return str(found["spec"]["template"]["metadata"].get("annotations", {}).get(naming.TEMPLATE, ""))
