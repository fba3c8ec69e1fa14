"""What the test cluster has besides pods: a firewall for them, metrics, and helm of both versions."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster import app
from tests.cluster.cluster import Cluster
from tests.cluster.errors import ClusterFailed
from tests.cluster.registry import ClusterRegistry


def test_network_policies_keep_strangers_out_and_pods_in(
    cluster: Cluster, open_cluster_registry: ClusterRegistry, namespace: str, busybox: Path
) -> None:
    image = app.push_app(busybox.read_bytes(), open_cluster_registry)
    app.deploy(cluster, namespace, image, open_cluster_registry)
    stranger = ["run", "stranger", f"--namespace={namespace}", f"--image={image}", "--labels=app=stranger"]
    cluster.kubectl(*stranger, "--grace-period=1", "--", "sleep", "1000")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/stranger", f"--namespace={namespace}", "--timeout=100s")
    visit = ["wget", "-qO-", "http://web/"]
    out = ["wget", "-qO-", f"http://{open_cluster_registry.address_in_pods}/v2/"]
    assert app.run(cluster, namespace, "pod/stranger", *visit) == "Ahoy\n"
    assert app.run(cluster, namespace, "pod/stranger", *out) == "{}"

    closed = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress", "Egress"]}
    app.apply(cluster, _policy(namespace, "closed", closed))
    eventually(lambda: fails(lambda: app.run(cluster, namespace, "pod/stranger", *visit)))
    look_up = ["nslookup", f"web.{namespace}.svc.cluster.local"]
    assert fails(lambda: app.run(cluster, namespace, "deploy/web", *look_up))
    assert fails(lambda: app.run(cluster, namespace, "deploy/web", *out))

    friends = {"from": [{"podSelector": {"matchLabels": {"app": "friend"}}}], "ports": [{"port": 8080}]}
    names = {
        "to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}],
        "ports": [{"port": 53, "protocol": "UDP"}],
    }
    app.apply(cluster, _policy(namespace, "friends", {**closed, "ingress": [friends], "egress": [names]}))
    eventually(lambda: not fails(lambda: app.run(cluster, namespace, "deploy/web", *look_up)))
    assert fails(lambda: app.run(cluster, namespace, "pod/stranger", *visit))
    cluster.kubectl("label", "pod/stranger", f"--namespace={namespace}", "--overwrite", "app=friend")
    eventually(lambda: not fails(lambda: app.run(cluster, namespace, "pod/stranger", *visit)))


@pytest.mark.usefixtures("metrics")
def test_an_autoscaler_reads_what_pods_use(
    cluster: Cluster, open_cluster_registry: ClusterRegistry, namespace: str, busybox: Path
) -> None:
    app.deploy(cluster, namespace, app.push_app(busybox.read_bytes(), open_cluster_registry), open_cluster_registry)
    cluster.kubectl("set", "resources", "deployment/web", f"--namespace={namespace}", "--requests=cpu=50m,memory=16Mi")
    cluster.kubectl("autoscale", "deployment/web", f"--namespace={namespace}", "--max=2", "--cpu=50%")
    active = ["wait", "--for=condition=ScalingActive", "hpa/web", f"--namespace={namespace}", "--timeout=60s"]
    cluster.kubectl(*active)
    assert "web-" in cluster.kubectl("top", "pod", f"--namespace={namespace}")


def test_helm_of_both_versions_is_here(helm: Path, helm4: Path) -> None:
    said = [
        subprocess.run([each, "version", "--short"], capture_output=True, text=True).stdout for each in (helm, helm4)
    ]
    assert [each[:3] for each in said] == ["v3.", "v4."]


def fails(action: Callable[[], object]) -> bool:
    """As a program does that is refused, and not by a crash."""
    try:
        action()
    except ClusterFailed as failed:
        if "ended with exit code 1:" not in str(failed):
            raise
        return True
    return False


def eventually(ready: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


def _policy(namespace: str, name: str, spec: dict[str, object]) -> dict[str, object]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
