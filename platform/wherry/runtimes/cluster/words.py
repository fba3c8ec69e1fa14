"""What the platform says of a process, in Heroku's words, from what its pod says of itself. Pure.

A life of a process is what lies between two restarts of its container; they are counted from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from wherry.domain.log import PLATFORM, Entry, LogLine
from wherry.domain.text import printable
from wherry.runtimes.cluster import naming, pods
from wherry.runtimes.cluster.kinds import Object

_STARTING, _UP, _STOPPING, _ENDED = range(4)
_SIGKILLED = 137
_LATE = "Error R12 (Exit timeout) -> At least one process failed to exit in time after SIGTERM"
_MEMORY = "Error R15 (Memory quota exceeded) -> the kernel stopped one of its programs"


@dataclass(frozen=True, slots=True)
class Life:
    """`ended`: how, None while it lasts; `is_previous`: the container has been started again since."""

    number: int
    ended: Mapping[str, Any] | None
    is_previous: bool = False


def lives(pod: Object) -> list[Life]:
    """Those of which the cluster still has the output: at most the last and the present one; [] before the first."""
    status = pods.container(pod)
    state, restarts = status.get("state") or {}, int(status.get("restartCount", 0))
    last = (status.get("lastState") or {}).get("terminated")
    if "running" in state or "terminated" in state:
        before = [Life(restarts - 1, last, is_previous=True)] if last and restarts else []
        return [*before, Life(restarts, state.get("terminated"))]
    return [Life(restarts, last)] if last else []


def starting(pod: Object, process: str, key: str, life: Life) -> list[Entry]:
    command = (pod["metadata"].get("annotations") or {}).get(naming.COMMAND, "")
    starts = f"Starting process with command `{printable(command, 500)}`" if command else "Starting process"
    again = ["State changed from crashed to starting"] if life.number else []
    status = pods.container(pod)
    began = (life.ended or (status.get("state") or {}).get("running") or {}).get("startedAt", "")
    return _entries(_time(pod, began), process, key, life.number, _STARTING, [*again, starts])


def up(pod: Object, process: str, key: str) -> list[Entry]:
    """With its start, which comes first whoever tells of it; [] for one that is not up."""
    living = [each for each in lives(pod) if each.ended is None]
    if not living or not pods.is_ready(pod):
        return []
    at = _time(pod, pods.condition(pod, "Ready").get("lastTransitionTime", ""))
    number = int(pods.container(pod).get("restartCount", 0))
    begun = starting(pod, process, key, living[0])
    return [*begun, *_entries(at, process, key, number, _UP, ["State changed from starting to up"])]


def stopping(pod: Object, process: str, key: str) -> list[Entry]:
    """[] for one that is not being stopped. It is told once, so a restart meanwhile is none to tell of."""
    if "deletionTimestamp" not in pod["metadata"]:
        return []
    number = int(pods.container(pod).get("restartCount", 0))
    said = ["Stopping all processes with SIGTERM"]
    # The API tells when its grace ends.
    ends = datetime.fromisoformat(f"{pod['metadata']['deletionTimestamp'][:19]}+00:00")
    asked = ends - timedelta(seconds=int(pod["metadata"].get("deletionGracePeriodSeconds", 0)))
    return _entries(_time(pod, asked.isoformat()), process, key, number, _STOPPING, said)


def ended(pod: Object, process: str, key: str, life: Life, *, once: bool) -> list[Entry]:
    """`once`: it was to end by itself."""
    if life.ended is None:
        return []
    code, leaves = int(life.ended.get("exitCode", 0)), "deletionTimestamp" in pod["metadata"]
    memory = [_MEMORY] if life.ended.get("reason") == "OOMKilled" else []
    late = [_LATE, "Stopping all processes with SIGKILL"] if leaves and code == _SIGKILLED and not memory else []
    now = "down" if leaves else "complete" if once else "crashed"
    said = [*memory, *late, f"Process exited with status {code}", f"State changed from up to {now}"]
    return _entries(_time(pod, life.ended.get("finishedAt", "")), process, key, life.number, _ENDED, said)


def _entries(at: str, process: str, key: str, life: int, stage: int, texts: Sequence[str]) -> list[Entry]:
    return [
        Entry(LogLine(at, PLATFORM, process, text), f"{key}!{life}", f"{stage}/{number}")
        for number, text in enumerate(texts)
    ]


def _time(pod: Object, text: object) -> str:
    """The API tells whole seconds."""
    found = str(text or pod["metadata"]["creationTimestamp"])
    return f"{found[:19]}.000000000Z"
