"""The chart with both Helms on a real cluster, and the platform's own image in a registry that its node pulls from."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wherry.images.registry import Registry
from wherry.settings import root_folder

from tests.builds.real_world import stack_registry
from tests.chart.installed import Volume, lent_volume
from tests.cluster.cluster import Cluster
from tests.cluster.fixtures import cluster, cluster_registry, gateway, helm, helm4, namespace
from tests.cluster.registry import ClusterRegistry

__all__ = ["cluster", "cluster_registry", "gateway", "helm", "helm4", "namespace", "stack_registry"]


@pytest.fixture(scope="session")
def published(
    cluster_registry: ClusterRegistry,
    stack_registry: tuple[Registry, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """What bin/image says of this checkout's HEAD, in the cluster's registry."""
    registry, stack = stack_registry
    environ = {
        **os.environ,
        "WHERRY_IMAGE_HOME": str(tmp_path_factory.mktemp("image")),
        "WHERRY_REGISTRY_USERNAME": cluster_registry.user,
        "WHERRY_REGISTRY_PASSWORD": cluster_registry.password,
        "WHERRY_STACK_BUILD": registry.reference(stack.build.repository, stack.build.digest),
        "WHERRY_STACK_RUN": registry.reference(stack.run.repository, stack.run.digest),
    }
    argv = [root_folder() / "bin/image", f"http://{cluster_registry.address}", "--json"]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def volume(cluster: Cluster) -> Iterator[Volume]:
    """A volume of the node that belongs to nobody yet."""
    with lent_volume(cluster, f"v{secrets.token_hex(4)}") as volume:
        yield volume


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Where the source of an app may lie."""
    return tmp_path / "hello"
