"""The processes of one test on a real Kubernetes, and the tiny image where its node finds it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from docker import APIClient
from wherry.domain.image import Image
from wherry.domain.secret import Secret
from wherry.logins import FixedLogin, Login
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errands import ClusterRuntime
from wherry.runtimes.cluster.ground import Ground, Pulls

from tests.cluster.cluster import Cluster
from tests.cluster.registry import ClusterRegistry


@pytest.fixture(scope="session")
def cluster_image(engine_api: APIClient, tiny_image: str, cluster_registry: ClusterRegistry) -> Image:
    """The tiny image in the registry from which the node pulls."""
    repository = f"{cluster_registry.address}/apps/1"
    engine_api.tag(tiny_image, repository, "latest")
    login = cluster_registry.login
    auth = {"username": login[0], "password": login[1]} if login else None
    lines = list(engine_api.push(repository, "latest", stream=True, decode=True, auth_config=auth))
    engine_api.remove_image(f"{repository}:latest", force=True)
    (digest,) = [line["aux"]["Digest"] for line in lines if "aux" in line]
    return Image("apps/1", digest, {"web": "serve it", "worker": ""})


@pytest.fixture
def cluster_ground(cluster_platform_id: str, cluster_registry: ClusterRegistry) -> Ground:
    login = Login(cluster_registry.user, Secret(cluster_registry.password)) if cluster_registry.login else Login()
    return Ground(cluster_platform_id, Pulls(cluster_registry.address, FixedLogin(login)), drain=1, unschedulable=3.0)


@pytest.fixture
def cluster_client(cluster: Cluster) -> Client:
    return Client(str(cluster.kubeconfig))


@pytest.fixture
def cluster_runtime(cluster_client: Client, cluster_ground: Ground) -> Iterator[ClusterRuntime]:
    runtime = ClusterRuntime(cluster_client, cluster_ground)
    yield runtime
    runtime.close()
