"""What a build's pod says of itself, read from its object. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from wherry.domain.errors import BuildFailed, BuildFailure, PlatformFault, WherryError
from wherry.domain.text import printable
from wherry.flow.pod_ports import Caps
from wherry.runtimes.cluster.build_manifests import BUILDING, EXPORT, FETCH
from wherry.runtimes.cluster.kinds import Object

_NAMES = {FETCH: "fetches the source", BUILDING: "builds", EXPORT: "exports the image"}
_OUT_OF_MEMORY = "OOMKilled"
_STARTING = {"ContainerCreating", "PodInitializing", ""}
_LONGEST = 500


class Want(Enum):
    ROOM = auto()
    IMAGE = auto()
    NODE = auto()
    """It has a node, which does not begin, and does not say why."""


@dataclass(frozen=True, slots=True)
class Lack:
    """What a pod waits for that may not come, in the cluster's own words."""

    want: Want
    words: str


def began(pod: Object, container: str) -> bool:
    state = _state(pod, container)
    return "running" in state or "terminated" in state


def over(pod: Object, container: str) -> bool:
    return "terminated" in _state(pod, container) or ended(pod)


def ended(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def lack(pod: Object) -> Lack | None:
    for condition in pod.get("status", {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            return Lack(Want.ROOM, _words(condition))
    for status in _statuses(pod):
        waiting = status.get("state", {}).get("waiting") or {}
        if waiting.get("reason", "") not in _STARTING:
            said = f"{waiting['reason']}: {_words(waiting)}" if waiting.get("message") else str(waiting["reason"])
            return Lack(Want.IMAGE, said)
    silent = not any(each.get("state", {}).keys() & {"running", "terminated"} for each in _statuses(pod))
    return Lack(Want.NODE, "") if silent and not ended(pod) else None


def of(pod: Object | None, caps: Caps) -> WherryError | None:
    """Why it ended, where that was not its programs' own doing. None: the pod is gone."""
    if pod is None:
        return PlatformFault("the build's pod was taken away while it ran")
    status = pod.get("status", {})
    reason = status.get("reason", "")
    if reason == "DeadlineExceeded":
        return BuildFailed(BuildFailure.OUT_OF_TIME, f"the build ran longer than its {caps.seconds} seconds")
    if reason == "Evicted":
        return _evicted(_words(status), caps)
    for container in (BUILDING, FETCH, EXPORT):
        over = _state(pod, container).get("terminated") or {}
        if over.get("reason") == _OUT_OF_MEMORY:
            return _out_of_memory(container, caps)
    if reason:
        return PlatformFault("the build's pod was stopped", evidence=[f"{reason}: {_words(status)}"])
    return None


def _evicted(words: str, caps: Caps) -> WherryError:
    if "ephemeral" in words or "emptyDir" in words:
        message = f"the build needs more than its {caps.disk} MiB of disk"
        return BuildFailed(BuildFailure.BUILDPACK_FAILED, message, evidence=[words])
    return PlatformFault("the node put the build's pod out", evidence=[words])


def _out_of_memory(container: str, caps: Caps) -> WherryError:
    if container != BUILDING:
        return PlatformFault(f"the program that {_NAMES[container]} ran out of memory")
    message = f"the build needs more than its {caps.memory} MiB of memory"
    return BuildFailed(BuildFailure.OUT_OF_MEMORY, message, evidence=["the kernel stopped the build's container"])


def _statuses(pod: Object) -> list[Any]:
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _state(pod: Object, container: str) -> dict[str, Any]:
    for status in _statuses(pod):
        if status["name"] == container:
            return status.get("state") or {}
    return {}


def _words(said: Object) -> str:
    return printable(str(said.get("message", "")), _LONGEST)
