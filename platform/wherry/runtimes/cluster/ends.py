"""What a pod says of itself, read from its JSON; and waiting for it to say something."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from wherry.domain.text import printable
from wherry.flow.task_ports import Ended
from wherry.runtimes.cluster import pods
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.kinds import EVENT, POD, Object
from wherry.runtimes.cluster.world import World

T = TypeVar("T")
LONGEST = 7.0 * 24 * 3600
_ROOM = 120.0
"""Seconds that a cluster has to find, or make, room for a pod."""
_NO_IMAGE = ("ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_NO_START = ("CreateContainerError", "CreateContainerConfigError", "RunContainerError")


def wait_for(
    world: World,
    namespace: str,
    label: str,
    value: str,
    test: Callable[[Object | None], T | None],
    *,
    seconds: float = LONGEST,
    over: Callable[[], bool] = lambda: False,
) -> T | None:
    """What `test` first finds in the newest pod with this label, which is None where there is none (yet, or any more); None
    when `over`, or after `seconds`. Both are asked with every change, and so must not ask the cluster.
    """
    found: list[T] = []

    def look() -> bool:
        there = [each for each in world.of(POD, namespace) if each["metadata"].get("labels", {}).get(label) == value]
        pod = max(there, key=lambda each: str(each["metadata"]["creationTimestamp"]), default=None)
        if (said := test(pod)) is not None:
            found.append(said)
        return bool(found) or over()

    world.wait_for(look, seconds)
    return found[0] if found else None


def state(pod: Object) -> Mapping[str, Any]:
    """Of its program: {"waiting": …}, {"running": …} or {"terminated": …}; {} before the node has it."""
    found: Mapping[str, Any] = pods.container(pod).get("state") or {}
    return found


def has_begun(pod: Object) -> bool:
    return not state(pod).keys().isdisjoint(("running", "terminated")) or is_over(pod)


def is_over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed") or "terminated" in state(pod)


def how_it_ended(pod: Object, memory: int = 0) -> Ended | None:
    """None while it has not. `memory`: MiB that it may use, 0 where that is not known."""
    if not is_over(pod):
        return None
    end = state(pod).get("terminated")
    status = pod.get("status") or {}
    if not end:
        said = ": ".join(filter(None, (str(status.get("reason", "")), str(status.get("message", "")))))
        return Ended(143, printable(f"the cluster ended it: {said}" if said else "the cluster ended it", 500))
    code = int(end.get("exitCode", 143))
    if end.get("reason") == "OOMKilled":
        return Ended(code, f"it needs more than its {_memory(memory)}")
    if end.get("reason") in ("StartError", "ContainerCannotRun"):
        return Ended(code, printable(str(end.get("message", "")), 500))
    return Ended(code)


def is_hopeless(pod: Object) -> bool:
    """It will not begin however long one waits."""
    reason = (state(pod).get("waiting") or {}).get("reason", "")
    if reason in _NO_IMAGE or reason in _NO_START:
        return True
    return pods.condition(pod, "PodScheduled").get("status") == "False" and _age(pod) > _ROOM


def words_about(client: Client, namespace: str, name: str) -> str:
    """The cluster's last words about an object, from its events."""
    events, _ = client.list(EVENT, namespace, fields=f"involvedObject.name={name},type=Warning")
    events.sort(key=lambda each: str(each.get("lastTimestamp") or each["metadata"]["creationTimestamp"]))
    return printable(str(events[-1].get("message", "")), 1000) if events else ""


def moment(text: str) -> datetime:
    """RFC 3339 as the API writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def since(pod: Object, key: str, fallback: str = "") -> datetime:
    """When its program began (`startedAt`) or ended (`finishedAt`); else when the pod was made."""
    for found in state(pod).values():
        if at := (found or {}).get(key):
            return moment(str(at))
    return moment(fallback or str(pod["metadata"]["creationTimestamp"]))


def _memory(most: int) -> str:
    return f"{most} MiB of memory" if most else "memory"


def _age(pod: Object) -> float:
    """By two clocks; good enough for a minute or two."""
    return time.time() - moment(str(pod["metadata"]["creationTimestamp"])).astimezone(UTC).timestamp()
