"""What tests get of the cluster, by fixtures. A conftest.py elsewhere imports the ones it needs.

`cluster` starts one for the session, which nobody else uses; the others start on it what they name, once and when asked.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import components, services
from tests.cluster.cluster import Cluster
from tests.cluster.errors import Unfit
from tests.cluster.gateway import Gateway, start_gateway
from tests.cluster.lifecycle import up
from tests.cluster.registry import ClusterRegistry, start_registry

__all__ = [
    "cluster",
    "cluster_platform_id",
    "cluster_registry",
    "gateway",
    "helm",
    "helm4",
    "local_storage",
    "metrics",
    "namespace",
    "open_cluster_registry",
]
# Of every object that Wherry makes in a cluster, with the platform's id.
PLATFORM_LABEL = "wherry.dev/platform"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Kubernetes with one node that is Ready. `cluster.kubeconfig`, `.kubectl(…)`, `.node_address`, `.host_address`."""
    try:
        started = up()
    except Unfit as unfit:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(unfit))
    yield started
    started.down()


@pytest.fixture(scope="session")
def cluster_registry(cluster: Cluster) -> ClusterRegistry:
    """With a login, over plain HTTP."""
    return start_registry(cluster, "registry", login=True)


@pytest.fixture(scope="session")
def open_cluster_registry(cluster: Cluster) -> ClusterRegistry:
    """Without a login, over plain HTTP."""
    return start_registry(cluster, "open-registry", login=False)


@pytest.fixture(scope="session")
def gateway(cluster: Cluster) -> Gateway:
    """contour and Envoy: HTTPRoutes and Ingresses answer at `gateway.address` by their host."""
    return start_gateway(cluster)


@pytest.fixture(scope="session")
def helm(cluster: Cluster) -> Path:
    """The program helm, version 3. It finds the cluster by KUBECONFIG."""
    return cluster.programs / "helm"


@pytest.fixture(scope="session")
def helm4(cluster: Cluster) -> Path:
    """The program helm, version 4."""
    return cluster.programs / "helm4"


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of this test alone, removed with all that is in it."""
    name = f"t{secrets.token_hex(5)}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def cluster_platform_id(cluster: Cluster) -> Iterator[str]:
    """A platform of this test alone; the namespaces that carry its label are removed afterwards with all in them."""
    name = f"t{secrets.token_hex(5)}"
    yield name
    cluster.kubectl("delete", "namespace", f"--selector={PLATFORM_LABEL}={name}", "--wait=false")


@pytest.fixture(scope="session")
def local_storage(cluster: Cluster) -> str:
    """The name of a class of storage that has four volumes."""
    folders = [f"/var/lib/volumes/disk{number}" for number in range(1, 5)]
    cluster.enclosure.run("mkdir", "-p", *folders)
    made = [services.storage_class(), *map(services.local_volume, folders)]
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
    return services.LOCAL_STORAGE


@pytest.fixture(scope="session")
def metrics(cluster: Cluster) -> None:
    """metrics-server, which looks every second: what autoscalers and `kubectl top` ask."""
    cluster.spawn("metrics", components.metrics(cluster.place))
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(services.metrics_api(cluster.node_address)))
    of_node = f"/apis/metrics.k8s.io/v1beta1/nodes/{components.NODE}"
    cluster.await_ready("metrics", lambda: cluster.get(of_node).ok)
