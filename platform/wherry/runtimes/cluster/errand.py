"""What runs once, as objects of the API: the release phase, a run of cron, a one-off. Pure.

None of it carries the label of a process type: no Service leads there, and nothing that is done to processes is done to it.
"""

from __future__ import annotations

import math
from typing import Any

from wherry.domain.one_off import Task
from wherry.domain.workload import Workload
from wherry.runtimes.cluster import gates, naming, pod_spec
from wherry.runtimes.cluster.ground import Ground
from wherry.runtimes.cluster.kinds import Object

ONCE = "wherry.dev/once"
ONE_OFF = "wherry.dev/one-off"
ATTACHED = "wherry.dev/attached"
NUMBER = "wherry.dev/number"
_LONGEST_TYPE = 20
_SPARE = 60
"""Seconds that the cluster leaves to us, who end what takes too long by ourselves while we are there."""
_KEPT = 7 * 24 * 3600
"""Seconds that a Job stays after its end for whoever asks how it ended."""


def job_name(workload: Workload, number: int) -> str:
    return f"{_short(workload.type)}-v{workload.release}-{number}"


def pod_name(task: Task) -> str:
    return f"{_short(task.workload.type)}-{task.number}-{task.id}"


def secret(ground: Ground, workload: Workload, name: str, marks: dict[str, str]) -> Object:
    """Its environment. It goes with the errand, not with the configs of its release."""
    found = pod_spec.config_secret(ground, workload)
    labels = {**naming.app_labels(ground.platform, workload.app_id, workload.app_name), **marks}
    found["metadata"] = {"name": name, "namespace": _namespace(ground, workload), "labels": labels}
    return found


def job(ground: Ground, workload: Workload, number: int) -> Object:
    """The cluster never begins it a second time: what it did, half or whole, is for us to judge."""
    name = job_name(workload, number)
    marks = {ONCE: name, NUMBER: str(number)}
    spec = _pod(ground, workload, name, number)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(ground, workload, name, marks),
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": math.ceil(workload.boot_limit) + _SPARE,
            "ttlSecondsAfterFinished": _KEPT,
            "template": {
                "metadata": {"labels": _labels(ground, workload, marks), "annotations": _said(workload)},
                "spec": spec,
            },
        },
    }


def pod(ground: Ground, task: Task, mark: str = "") -> Object:
    """With `mark` it waits for its client (see `gates`)."""
    workload, name = task.workload, pod_name(task)
    marks = {ONE_OFF: str(task.id), NUMBER: str(task.number), **({ATTACHED: "yes"} if task.attach else {})}
    spec = _pod(ground, workload, name, task.number)
    if mark:
        container = spec["containers"][0]
        container["command"] = gates.waiting(mark, container["command"])
        container |= {"stdin": True, "stdinOnce": True, "tty": task.tty}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": _metadata(ground, workload, name, marks), "spec": spec}


def process_of(labels: dict[str, str]) -> str:
    """``run.4711`` of a pod's labels; "" for one that is no errand's."""
    number = labels.get(NUMBER, "")
    return f"{labels.get('app.kubernetes.io/component', '')}.{number}" if number else ""


def _pod(ground: Ground, workload: Workload, name: str, number: int) -> dict[str, Any]:
    spec = dict(pod_spec.pod_spec(ground, workload, name))
    process = f"{workload.type}.{number}"
    container = spec["containers"][0]
    kept = [each for each in container["env"] if each["name"] not in ("DYNO", "WHERRY_PROCESS")]
    container["env"] = [*kept, {"name": "DYNO", "value": process}, {"name": "WHERRY_PROCESS", "value": process}]
    container.pop("lifecycle", None)  # nobody is led to it, so there is nobody to wait for when it ends
    spec["terminationGracePeriodSeconds"] = math.ceil(workload.stop_grace)
    return {**spec, "restartPolicy": "Never"}


def _said(workload: Workload) -> dict[str, str]:
    argv = workload.start.argv if workload.start else ()
    command = argv[-1] if argv else workload.image.processes.get(workload.type, "")
    return {naming.COMMAND: command[:500]} if command else {}


def _metadata(ground: Ground, workload: Workload, name: str, marks: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": _namespace(ground, workload),
        "labels": _labels(ground, workload, marks),
        "annotations": _said(workload),
    }


def _labels(ground: Ground, workload: Workload, marks: dict[str, str]) -> dict[str, str]:
    return {
        **naming.app_labels(ground.platform, workload.app_id, workload.app_name),
        **naming.release_labels(workload.release),
        "app.kubernetes.io/component": workload.type,
        **marks,
    }


def _namespace(ground: Ground, workload: Workload) -> str:
    return naming.namespace(ground.platform, workload.app_id)


def _short(type: str) -> str:
    name = type if type[0].isalpha() else f"p-{type}"  # an object's name begins with a letter
    return name[:_LONGEST_TYPE].rstrip("-")
