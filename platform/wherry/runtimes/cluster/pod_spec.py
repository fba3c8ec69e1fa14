"""One process as a pod, in the words of the API. Pure."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping

from wherry.domain.workload import Workload
from wherry.runtimes.cluster import naming
from wherry.runtimes.cluster.ground import Ground
from wherry.runtimes.cluster.kinds import Object

_NUMERIC = re.compile(r"([0-9]{1,9})(?::([0-9]{1,9}))?")
_CPU_SHARE = 10
_GROUP = 1000


def pod_spec(ground: Ground, workload: Workload, secret: str) -> Object:
    """Of a process type, of a one-off, of a release phase; `secret`: the name of the one with its environment.

    The root file system can be written to, as Heroku's can: apps write into their own folder.
    """
    return {
        "containers": [_container(ground, workload, secret)],
        "serviceAccountName": naming.ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # A first process that passes SIGTERM on and collects zombies; many apps do neither.
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": grace(ground, workload),
        "securityContext": {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
            **({"fsGroup": _user(workload).get("runAsGroup", _GROUP)} if workload.volumes else {}),
        },
        **(_volumes(workload) if workload.volumes else {}),
    }


def grace(ground: Ground, workload: Workload) -> int:
    """Seconds from the wish to end it to SIGKILL."""
    return math.ceil(workload.stop_grace) + (ground.drain if workload.listens else 0)


def environment(workload: Workload) -> dict[str, str]:
    """What stands in the Secret; nothing in it is ever expanded. HOME is the image's own where a Dockerfile made it."""
    home = {} if workload.start else {"HOME": "/workspace"}
    return {**home, **{name: value.reveal() for name, value in workload.env.items()}}


def config_secret(ground: Ground, workload: Workload) -> Object:
    """The environment of a release, byte for byte, never changed."""
    plain = environment(workload)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": naming.config_secret(ground.platform, workload, plain),
            "namespace": naming.namespace(ground.platform, workload.app_id),
            "labels": {
                **naming.app_labels(ground.platform, workload.app_id, workload.app_name),
                **naming.release_labels(workload.release),
            },
        },
        "type": "Opaque",
        "immutable": True,
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in sorted(plain.items())},
    }


def _container(ground: Ground, workload: Workload, secret: str) -> Object:
    start = workload.start
    mounts = [{"name": each.name, "mountPath": each.path} for each in workload.volumes]
    return {
        "name": naming.CONTAINER,
        "image": ground.pulls.reference(workload.image.repository, workload.image.digest),
        "imagePullPolicy": "IfNotPresent",
        "command": list(start.argv) if start else [f"/cnb/process/{workload.type}"],
        "envFrom": [{"secretRef": {"name": secret}}],
        "env": _promised(workload),
        "resources": _resources(workload),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            **_user(workload),
        },
        **(_web(ground) if workload.listens else {}),
        **({"volumeMounts": mounts} if mounts else {}),
    }


def _web(ground: Ground) -> Object:
    drain = {"lifecycle": {"preStop": {"sleep": {"seconds": ground.drain}}}} if ground.drain else {}
    return {"ports": [{"name": "http", "containerPort": naming.PORT, "protocol": "TCP"}], **drain}


def _promised(workload: Workload) -> list[Mapping[str, object]]:
    """What no config may change. A pod has no number of its own: DYNO is ``web.`` and the pod's name."""
    name = f"{workload.type}.$(WHERRY_POD)"
    return [
        {"name": "WHERRY_POD", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
        {"name": "DYNO", "value": name},
        {"name": "WHERRY_PROCESS", "value": name},
        *([{"name": "PORT", "value": str(naming.PORT)}] if workload.listens else []),
    ]


def _resources(workload: Workload) -> Object:
    """Memory is set aside whole: what is promised is there. Of the processor a tenth is, and the rest is shared."""
    size = workload.size
    memory = mebibytes(size.memory)
    return {
        "limits": {"memory": memory, "cpu": _cores(size.cpu)},
        "requests": {"memory": memory, "cpu": _cores(max(size.cpu // _CPU_SHARE, 1))},
    }


def mebibytes(count: int) -> str:
    """As the server writes it itself, so that what is wanted and what is there can be compared."""
    for unit in ("Mi", "Gi"):
        if count % 1024 or unit == "Gi":
            return f"{count}{unit}"
        count //= 1024
    raise AssertionError


def _cores(thousandths: int) -> str:
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def _user(workload: Workload) -> Object:
    """Numbers only: a node cannot know that a name is not root's. Without one it is the image's."""
    match = _NUMERIC.fullmatch(workload.start.user) if workload.start else None
    if not match:
        return {}
    return {"runAsUser": int(match[1]), **({"runAsGroup": int(match[2])} if match[2] else {})}


def _volumes(workload: Workload) -> Object:
    claims = [{"name": each.name, "persistentVolumeClaim": {"claimName": each.name}} for each in workload.volumes]
    return {"volumes": claims}
