"""What must be written so that a process type runs as asked, compared with what there is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wherry.domain.workload import Workload
from wherry.runtimes.cluster import manifests, naming, pods
from wherry.runtimes.cluster.apply import holds
from wherry.runtimes.cluster.ground import Ground
from wherry.runtimes.cluster.kinds import Object

_PASSED = "NewReplicaSetAvailable"


@dataclass(frozen=True, slots=True)
class Plan:
    """`wanted`: the Deployment as it shall be; `before`: as it was, None where there was none. `again`: indexes of single
    processes to be replaced; `stop`: of those that must end first. `waits`: something begins with it, or an earlier start was
    cut off.
    """

    workload: Workload
    wanted: Object
    before: Object | None
    again: frozenset[int] = frozenset()
    stop: frozenset[int] = frozenset()
    waits: bool = True

    @property
    def namespace(self) -> str:
        return str(self.wanted["metadata"]["namespace"])

    @property
    def template(self) -> str:
        return template_of(self.wanted)

    @property
    def is_new_template(self) -> bool:
        return self.before is None or template_of(self.before) != self.template

    @property
    def stops_all(self) -> bool:
        return len(self.stop) >= self.workload.most


def plan(ground: Ground, workload: Workload, live: Object | None) -> Plan:
    if live is None:
        return Plan(workload, _noted(manifests.deployment(ground, workload, _newest(workload)), workload), None)
    pending = _pending(workload, live)
    stop = frozenset(index for index, number in pending.items() if workload.turns[index].stop > _done(live))
    if len(pending) >= workload.most or not is_as_asked(ground.platform, workload, live, turns=False):
        wanted = _not_fewer(manifests.deployment(ground, workload, _newest(workload)), workload, live)
        stop = stop if len(stop) >= workload.most else frozenset()
        return Plan(workload, _noted(wanted, workload), live, stop=stop)
    wanted = manifests.deployment(ground, workload, _turn(live))
    if template_of(wanted) != template_of(live):
        # Another version of the platform, or other settings, made it: that restarts no app.
        wanted = as_it_is(live)
    wanted = _not_fewer(wanted, workload, live)
    wanted = _noted(wanted, workload, live)
    starts = not workload.autoscale and replicas(live) < workload.quantity
    waits = bool(pending) or starts or not has_passed(live) or not _holds_spec(wanted, live)
    return Plan(workload, wanted, live, frozenset(pending) - stop, stop, waits)


def is_as_asked(platform: str, workload: Workload, live: Object, *, turns: bool = True) -> bool:
    """Of the same release, from the same image, with the same config and size; restarted since the last wish."""
    notes = live["spec"]["template"]["metadata"].get("annotations", {})
    same = notes.get(naming.FINGERPRINT) == naming.fingerprint(platform, workload)
    return same and release_of(live) == workload.release and not (turns and _pending(workload, live))


def has_passed(live: Object) -> bool:
    """All its processes were ready once, or nobody wants to wait for that: from then on the cluster keeps them."""
    if naming.INSISTED in live["metadata"].get("annotations", {}):
        return True
    status = live.get("status", {})
    seen = status.get("observedGeneration", 0) >= live["metadata"].get("generation", 0)
    return seen and pods.condition(live, "Progressing").get("reason") == _PASSED


def as_it_is(live: Object) -> Object:
    """The Deployment as we would have written it to make what is there."""
    about = live["metadata"]
    notes = {key: each for key, each in about.get("annotations", {}).items() if key.startswith("wherry.dev/")}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": about["name"],
            "namespace": about["namespace"],
            "labels": dict(about["labels"]),
            "annotations": notes,
        },
        "spec": dict(live["spec"]),
    }


def with_template(live: Object, template: Mapping[str, Any]) -> Object:
    """`live` with the template of an earlier ReplicaSet, and the labels that say so."""
    about = template["metadata"]
    labels = {key: each for key, each in about["labels"].items() if key != "pod-template-hash"}
    found = as_it_is(live)
    found["spec"]["template"] = {**template, "metadata": {**about, "labels": labels}}
    of_release = {key: labels[key] for key in naming.release_labels(0) if key in labels}
    found["metadata"]["labels"] |= of_release
    found["metadata"]["annotations"][naming.TEMPLATE] = about["annotations"][naming.TEMPLATE]
    return found


def template_of(deployment: Object) -> str:
    return str(deployment["metadata"].get("annotations", {}).get(naming.TEMPLATE, ""))


def release_of(deployment: Object) -> int:
    return int(deployment["metadata"]["labels"].get(naming.RELEASE, 0))


def replicas(deployment: Object) -> int:
    return int(deployment["spec"].get("replicas", 1))


def _holds_spec(wanted: Object, live: Object) -> bool:
    """Other labels of the Deployment itself begin nothing."""
    return holds({**wanted, "metadata": {}}, live)


def _not_fewer(wanted: Object, workload: Workload, live: Object) -> Object:
    """What is too many goes when it is retired: until then it serves."""
    if not workload.autoscale:
        wanted["spec"]["replicas"] = max(workload.quantity, replicas(live))
    return wanted


def _noted(wanted: Object, workload: Workload, live: Object | None = None) -> Object:
    """With what stands beside the template: the wishes that are fulfilled with it, and that nobody waited for it."""
    done = max([each.number for each in workload.turns.values()] + ([_done(live)] if live else []), default=0)
    notes = {naming.TURNS_DONE: str(done)} if done else {}
    if live and naming.INSISTED in live["metadata"].get("annotations", {}):
        notes[naming.INSISTED] = "yes"
    wanted["metadata"]["annotations"] = {**wanted["metadata"]["annotations"], **notes}
    return wanted


def _pending(workload: Workload, live: Object) -> dict[int, int]:
    """Processes, by index, that are older than the last wish to restart them."""
    done = _done(live)
    asked = {index: each.number for index, each in workload.turns.items() if index <= workload.most}
    return {index: number for index, number in asked.items() if number > done}


def _done(live: Object) -> int:
    return int(live["metadata"].get("annotations", {}).get(naming.TURNS_DONE, 0))


def _turn(live: Object) -> int:
    return int(live["spec"]["template"]["metadata"].get("annotations", {}).get(naming.TURN, 0))


def _newest(workload: Workload) -> int:
    return max((each.number for each in workload.turns.values()), default=0)
