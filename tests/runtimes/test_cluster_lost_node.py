"""A node that is lost, on a real Kubernetes of one node: the second is a Node object that no machine stands behind, and what
its kubelet and the node controller would write about it is written here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from wherry.domain.image import Image
from wherry.domain.workload import ProcessState
from wherry.runtimes.cluster import naming
from wherry.runtimes.cluster.errands import ClusterRuntime
from wherry.runtimes.cluster.ground import Ground

from tests.cluster.cluster import Cluster
from tests.runtimes.machine_world import eventually, quiet, workload

pytestmark = [pytest.mark.engine, pytest.mark.cluster]
NAME = "node-of-no-machine"


@dataclass
class Node:
    cluster: Cluster
    place: str

    def join(self) -> None:
        about = {"name": NAME, "labels": {"kubernetes.io/hostname": NAME, "kubernetes.io/os": "linux"}}
        self.cluster.kubectl(
            "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": about})
        )
        # For one process, and more of all else than the other node has: so one comes here.
        room = {"cpu": "8", "memory": "32Gi", "pods": "1", "ephemeral-storage": "100Gi"}
        self._say("node", NAME, {"capacity": room, "allocatable": room, "conditions": [self._ready("True")]})

    @property
    def pods(self) -> list[dict[str, Any]]:
        asked = ("get", "pods", f"--namespace={self.place}", f"--field-selector=spec.nodeName={NAME}", "--output=json")
        found: list[dict[str, Any]] = json.loads(self.cluster.kubectl(*asked))["items"]
        return found

    def run(self, pod: str) -> None:
        running = {
            "name": naming.CONTAINER,
            "image": "it",
            "imageID": "it",
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": _now()}},
        }
        conditions = [_condition(each, "True") for each in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]
        address = {"podIP": "192.0.2.7", "podIPs": [{"ip": "192.0.2.7"}]}
        told = {"phase": "Running", "conditions": conditions, "containerStatuses": [running], **address}
        self._say("pod", pod, told, f"--namespace={self.place}")

    def die(self) -> None:
        """As the node controller tells it, 50 seconds after the last word of its kubelet."""
        self._say("node", NAME, {"conditions": [self._ready("Unknown")]})
        for pod in self.pods:
            kept = [each for each in pod["status"]["conditions"] if each["type"] != "Ready"]
            told = {"conditions": [*kept, _condition("Ready", "False")]}
            self._say("pod", pod["metadata"]["name"], told, f"--namespace={self.place}")

    def evict(self) -> None:
        """As the node controller does after the five minutes that pods tolerate; nobody confirms the end."""
        for pod in self.pods:
            self.cluster.kubectl("delete", "pod", pod["metadata"]["name"], f"--namespace={self.place}", "--wait=false")

    def leave(self) -> None:
        self.cluster.kubectl("delete", "node", NAME)
        for pod in self.pods:
            name = pod["metadata"]["name"]
            self.cluster.kubectl("delete", "pod", name, f"--namespace={self.place}", "--grace-period=0", "--force")

    def _ready(self, status: str) -> dict[str, str]:
        return {**_condition("Ready", status), "lastHeartbeatTime": _now()}

    def _say(self, kind: str, name: str, status: dict[str, Any], *where: str) -> None:
        patch = json.dumps({"status": status})
        self.cluster.kubectl("patch", kind, name, *where, "--subresource=status", "--type=merge", f"--patch={patch}")


@pytest.fixture
def node(cluster: Cluster, cluster_ground: Ground) -> Iterator[Node]:
    node = Node(cluster, naming.namespace(cluster_ground.platform, 1))
    node.join()
    yield node
    node.leave()


def test_a47_what_was_on_a_lost_node_is_told_is_replaced_and_holds_up_no_deploy(
    cluster_runtime: ClusterRuntime, cluster_image: Image, node: Node
) -> None:
    first = workload(cluster_image, quantity=2)
    with ThreadPoolExecutor(1) as beside:
        started = beside.submit(cluster_runtime.start, [first], quiet)
        eventually(lambda: bool(node.pods))
        node.run(node.pods[0]["metadata"]["name"])
        started.result()
    assert _up(cluster_runtime) == [(1, "web.1"), (1, "web.2")]

    node.die()
    eventually(lambda: len(_up(cluster_runtime)) == 1)
    (lost,) = [each for each in cluster_runtime.processes(1) if each.state is not ProcessState.UP]
    assert lost.detail == "its node does not answer"

    node.evict()
    eventually(lambda: len(_up(cluster_runtime)) == 2)
    assert len(node.pods) == 1
    second = replace(first, release=2)
    cluster_runtime.start([second], quiet)
    cluster_runtime.retire(1, [second])
    assert _up(cluster_runtime) == [(2, "web.1"), (2, "web.2")]
    assert len(node.pods) == 1


def _up(runtime: ClusterRuntime) -> list[tuple[int, str]]:
    return [(each.release, each.name) for each in runtime.processes(1) if each.state is ProcessState.UP]


def _condition(type: str, status: str) -> dict[str, str]:
    return {"type": type, "status": status, "lastTransitionTime": _now()}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
