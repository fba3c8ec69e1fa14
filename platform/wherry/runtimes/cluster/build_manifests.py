"""A build's Job and what stands around it, as plain objects. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from wherry.domain.registry_names import HUB
from wherry.flow.pod_ports import GROUND, INPUTS, BuildPod
from wherry.logins import Login
from wherry.runtimes.agent.channel import AGENT, FOLDER
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.naming import PLATFORM
from wherry.runtimes.cluster.networks import LOCAL_DNS, public_and

BUILD, ATTEMPT = "wherry.dev/build", "wherry.dev/attempt"
BUILT_APP = "wherry.dev/built-app"
"""Not the label of an app's own objects: nothing that runs an app may take a build for one of its processes."""
FETCH, BUILDING, EXPORT = "fetch", "build", "export"
"""The containers, in their order."""
ACCOUNT, PULL_SECRET, POLICY = "build", "registry", "build"
_PROCESS = "/cnb/process/build-{}"
"""Process types of the platform's own image."""
_BESIDE_SECONDS = 3600
"""For waiting, fetching and exporting, beside the build's own time: a stop for what hangs, and no cap that is told."""
_FINISHED_SECONDS = 600
_GRACE_SECONDS = 3
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - in the container


def namespace_name(platform: str) -> str:
    return f"wherry-{platform}-builds"


def job_name(build_id: int, attempt: int) -> str:
    return f"build-{build_id}-{attempt}"


def labels(platform: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "build",
        "app.kubernetes.io/instance": namespace_name(platform),
        "app.kubernetes.io/component": "build",
        "app.kubernetes.io/part-of": "wherry",
        "app.kubernetes.io/managed-by": "wherry",
        PLATFORM: platform,
    }


def surroundings(platform: str, registry: Sequence[Object], networks: Sequence[str]) -> list[Object]:
    """What all builds share: their namespace, an account without rights, the rule of what they may reach. `registry`:
    registry_rules; `networks`: further ones, as 10.0.0.0/8.
    """
    common = {"labels": labels(platform), "namespace": namespace_name(platform)}
    restricted = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace_name(platform), "labels": {**labels(platform), **restricted}},
        },
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT, **common},
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": POLICY, **common},
            "spec": {
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [],
                "egress": _egress(registry, networks),
            },
        },
    ]


def pull_secret(platform: str, host: str, login: Login) -> Object:
    """With which nodes pull; no pod sees it."""
    entry = {"username": login.username, "password": login.password.reveal()}
    entry["auth"] = base64.b64encode(":".join(entry.values()).encode()).decode()
    content = json.dumps({"auths": {"https://index.docker.io/v1/" if host == HUB else host: entry}})
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": PULL_SECRET, "namespace": namespace_name(platform), "labels": labels(platform)},
        "data": {".dockerconfigjson": base64.b64encode(content.encode()).decode()},
    }


def inputs(platform: str, pod: BuildPod, job: Object) -> Object:
    """The Secret with the pod's inputs; it goes with its Job."""
    about = job["metadata"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": about["name"], "uid": about["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": about["name"],
            "namespace": namespace_name(platform),
            "labels": _of_build(platform, pod),
            "ownerReferences": [owner],
        },
        "immutable": True,
        "data": {name: base64.b64encode(content).decode() for name, content in pod.inputs.items()},
    }


def job(platform: str, pod: BuildPod) -> Object:
    """One pod, once: a build that fails for the platform's sake is the worker's to try again."""
    name, marks = job_name(pod.build_id, pod.attempt), _of_build(platform, pod)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace_name(platform), "labels": marks},
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": pod.caps.seconds + _BESIDE_SECONDS,
            "ttlSecondsAfterFinished": _FINISHED_SECONDS,
            "podReplacementPolicy": "Failed",
            "template": {"metadata": {"labels": marks}, "spec": _pod_spec(name, pod)},
        },
    }


def registry_rules(url: str) -> list[Object]:
    """Rules of egress, by the URL under which pods reach the registry: a Service of this cluster, an address. None where
    it is neither: then it is public, or the operator names its network.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    with suppress(ValueError):
        return [{"to": [{"ipBlock": {"cidr": str(ip_network(host))}}], "ports": [{"protocol": "TCP", "port": port}]}]
    name = host.split(".")
    if len(name) > 2 and name[2] == "svc":  # whose pods may listen on another port than the Service
        namespace = {"matchLabels": {"kubernetes.io/metadata.name": name[1]}}
        pods = {"matchLabels": {"app.kubernetes.io/component": "registry"}}
        return [{"to": [{"namespaceSelector": namespace, "podSelector": pods}]}]
    return []


def _of_build(platform: str, pod: BuildPod) -> dict[str, str]:
    return {**labels(platform), BUILT_APP: str(pod.app_id), BUILD: str(pod.build_id), ATTEMPT: str(pod.attempt)}


def _pod_spec(name: str, pod: BuildPod) -> Object:
    uid, gid = (int(each) for each in pod.user.split(":"))
    size = {"sizeLimit": f"{pod.caps.disk}Mi"}
    temporary = [{"name": _volume(container, path), "emptyDir": size} for container in _ALL for path in _TEMPORARY]
    return {
        "serviceAccountName": ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "imagePullSecrets": [{"name": PULL_SECRET}],
        # One user for all three: what the build leaves, whatever its permissions, the export must read.
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": uid,
            "runAsGroup": gid,
            "fsGroup": gid,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [_ours(FETCH, pod)],
        "containers": [_building(pod), _ours(EXPORT, pod)],
        "volumes": [
            {"name": "ground", "emptyDir": size},
            {"name": "inputs", "secret": {"secretName": name, "defaultMode": 0o440}},
            *temporary,
        ],
    }


_ALL = (FETCH, BUILDING, EXPORT)
_HARDENED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def _ours(name: str, pod: BuildPod) -> Object:
    """A program of the platform: it sees the inputs, and the whole ground."""
    return {
        "name": name,
        "image": pod.platform,
        "command": [_PROCESS.format(name)],
        "env": [{"name": "HOME", "value": "/tmp"}],  # noqa: S108
        "securityContext": dict(_HARDENED),
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "64Mi"},
            "limits": {"cpu": f"{pod.caps.cpu}m", "memory": "1Gi", "ephemeral-storage": f"{pod.caps.disk}Mi"},
        },
        "volumeMounts": [
            {"name": "ground", "mountPath": GROUND},
            {"name": "inputs", "mountPath": INPUTS, "readOnly": True},
            *_temporary(name),
        ],
    }


def _building(pod: BuildPod) -> Object:
    """The agent, and folders of the ground: neither inputs nor a variable of ours."""
    folders = [
        {"name": "ground", "mountPath": path, "subPath": folder, "readOnly": read_only}
        for path, (folder, read_only) in pod.mounts.items()
    ]
    return {
        "name": BUILDING,
        "image": pod.stack,
        "command": ["/bin/sh", "-c", AGENT],
        "workingDir": "/",
        "securityContext": dict(_HARDENED),
        "resources": {
            "requests": {"cpu": "250m", "memory": f"{pod.caps.memory}Mi", "ephemeral-storage": "64Mi"},
            "limits": {
                "cpu": f"{pod.caps.cpu}m",
                "memory": f"{pod.caps.memory}Mi",
                "ephemeral-storage": f"{pod.caps.disk}Mi",
            },
        },
        "volumeMounts": [
            {"name": "ground", "mountPath": FOLDER, "subPath": "channel/inside", "readOnly": True},
            *folders,
            *_temporary(BUILDING),
        ],
    }


def _temporary(container: str) -> list[Object]:
    return [{"name": _volume(container, path), "mountPath": path} for path in _TEMPORARY]


def _volume(container: str, path: str) -> str:
    return f"{container}{path.replace('/', '-')}"


def _egress(registry: Sequence[Object], networks: Sequence[str]) -> list[Object]:
    """Names, public addresses, the registry, what the operator adds. So no pod, no node, no API server with a private
    address, no metadata service.
    """
    names = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return [
        {"to": [{"namespaceSelector": {}}, {"ipBlock": {"cidr": LOCAL_DNS}}], "ports": names},
        {"to": public_and(networks)},
        *registry,
    ]
