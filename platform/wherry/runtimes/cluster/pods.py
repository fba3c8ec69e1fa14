"""Processes from the pods of a Deployment. Pure.

A pod has no number: web.1 is the oldest of its release and template, web.2 the next. While a process is replaced there
are two with one name, and the new one is the process as soon as it is ready.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from wherry.domain.text import printable
from wherry.domain.workload import Endpoint, Process, ProcessState
from wherry.runtimes.cluster import naming
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.naming import Identity

Numbered = list[tuple[int, Object]]


def processes(pods: Iterable[Object]) -> list[Process]:
    """In the order of app, release, type and index."""
    types: dict[Identity, list[Object]] = defaultdict(list)
    for pod in pods:
        who = Identity.of(pod["metadata"].get("labels", {}))
        if who and is_process(pod) and not is_leaving(pod):
            types[who].append(pod)
    found = [describe(who, index, pod) for who, members in types.items() for index, pod in numbered(members) if index]
    return sorted(found, key=lambda each: (each.app_id, each.release, each.type, each.index))


def numbered(pods: Iterable[Object]) -> Numbered:
    """Of one type of one release, one pod for each number."""
    templates: dict[str, list[Object]] = defaultdict(list)
    for pod in pods:
        templates[template(pod)].append(pod)
    best: dict[int, Object] = {}
    for members in sorted(templates.values(), key=lambda each: min(map(_age, each))):
        for index, pod in enumerate(sorted(members, key=_age), 1):
            if index not in best or is_ready(pod) or not is_ready(best[index]):
                best[index] = pod
    return sorted(best.items(), key=lambda each: each[0])


def is_process(pod: Object) -> bool:
    """And no one-off, release phase or build."""
    return naming.TEMPLATE in pod["metadata"].get("annotations", {})


def is_leaving(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"] or pod.get("status", {}).get("phase") in ("Failed", "Succeeded")


def is_ready(pod: Object) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def template(pod: Object) -> str:
    return str(pod["metadata"].get("annotations", {}).get(naming.TEMPLATE, ""))


def condition(found: Object, kind: str) -> Mapping[str, str]:
    """Of a pod or Deployment; {} where it has none of that kind."""
    conditions: list[Mapping[str, str]] = found.get("status", {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {})


def container(pod: Object) -> Mapping[str, Any]:
    """The status of the app's own container; {} before it has one."""
    found: list[Mapping[str, Any]] = pod.get("status", {}).get("containerStatuses") or []
    return next((each for each in found if each["name"] == naming.CONTAINER), {})


def last_end(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """How a container ended, now or before it was started again; {} for one that has not."""
    now: Mapping[str, Any] = status.get("state", {}).get("terminated") or {}
    return now or status.get("lastState", {}).get("terminated") or {}


def describe(who: Identity, index: int, pod: Object) -> Process:
    status = container(pod)
    restarts = int(status.get("restartCount", 0))
    kind, detail, since = _state(pod, status, restarts)
    address = pod.get("status", {}).get("podIP", "")
    # Its address is its own also while it is down, and is started again where it is.
    begun = is_ready(pod) or restarts or status.get("started")
    return Process(
        app_id=who.app_id,
        release=who.release,
        type=who.type,
        index=index,
        state=kind,
        since=moment(since),
        endpoint=Endpoint(address, naming.PORT) if who.type == "web" and address and begun else None,
        detail=detail,
        restarts=restarts,
    )


def said_of_end(end: Mapping[str, Any], memory: str = "") -> str:
    if end.get("reason") == "OOMKilled":
        return f"needs more than its {memory or 'memory'}"
    if said := printable(end.get("message", ""), 300):
        return f"exited with code {end.get('exitCode', 0)}: {said}"
    return f"exited with code {end.get('exitCode', 0)}"


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _state(pod: Object, status: Mapping[str, Any], restarts: int) -> tuple[ProcessState, str, str]:
    state, made = status.get("state", {}), pod["metadata"]["creationTimestamp"]
    end = last_end(status)
    if running := state.get("running"):
        if is_ready(pod):
            return ProcessState.UP, "", running["startedAt"]
        if _is_lost(pod):
            return ProcessState.STARTING, "its node does not answer", running["startedAt"]
        return ProcessState.STARTING, f"started again {_times(restarts)}" if restarts else "", running["startedAt"]
    if end:
        return ProcessState.CRASHED, said_of_end(end), end.get("finishedAt") or made
    if waiting := state.get("waiting"):
        trouble = waiting.get("reason", "") not in ("ContainerCreating", "PodInitializing", "")
        detail = f"{waiting['reason']}: {printable(waiting.get('message', ''), 300)}" if trouble else ""
        return ProcessState.CRASHED if trouble else ProcessState.STARTING, detail, made
    scheduled = condition(pod, "PodScheduled")
    detail = printable(scheduled.get("message", ""), 300) if scheduled.get("status") == "False" else ""
    return ProcessState.STARTING, detail, made


def _is_lost(pod: Object) -> bool:
    """The node controller takes the readiness from all pods of a node that is silent, and changes nothing else of them."""
    gates = pod.get("spec", {}).get("readinessGates")
    return condition(pod, "ContainersReady").get("status") == "True" and not gates and not is_ready(pod)


def _age(pod: Object) -> tuple[str, str]:
    return pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
