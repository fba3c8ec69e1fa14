"""One world for each Runtime: the Docker Engine, as a swarm and not, a Kubernetes, and the one in memory."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from docker import APIClient
from wherry.domain.image import Image
from wherry.flow.ports import Runtime
from wherry.runtimes.cluster import naming

from tests.cluster.cluster import Cluster
from tests.fakes.runtime import InMemoryRuntime
from tests.runtimes.tiny import remove_platform


@dataclass
class World:
    runtime: Runtime
    image: Image
    crash: Callable[[int, str], None]
    keeps_the_old: bool = True
    """Whole until it is retired; else until the new one is ready."""

    def ids(self) -> list[tuple[int, int, str]]:
        return [(each.app_id, each.release, each.name) for each in self.runtime.processes()]


_CLUSTER = pytest.param("cluster", marks=[pytest.mark.engine, pytest.mark.cluster])
_ENGINES = [pytest.param(each, marks=pytest.mark.engine) for each in ("machine", "swarm")]


@pytest.fixture(params=["memory", *_ENGINES, _CLUSTER])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "cluster":
        yield _on_cluster(request)
    elif request.param == "memory":
        yield _in_memory()
    else:
        yield from _on_an_engine(request)


def _in_memory() -> World:
    fake = InMemoryRuntime()
    return World(fake, Image("apps/1", "sha256:0"), fake.crash)


def _on_cluster(request: pytest.FixtureRequest) -> World:
    cluster: Cluster = request.getfixturevalue("cluster")
    platform: str = request.getfixturevalue("cluster_platform_id")

    def crash(app_id: int, name: str) -> None:
        """All processes of the pod that are the app's; `web.1` is the oldest."""
        place = naming.namespace(platform, app_id)
        kind, _, index = name.rpartition(".")
        order = "--sort-by=.metadata.creationTimestamp"
        found = cluster.kubectl("get", "pods", "-n", place, "-l", f"{naming.PROCESS}={kind}", "-o", "name", order)
        cluster.kubectl("exec", "-n", place, found.split()[int(index) - 1], "--", "kill", "-9", "-1")

    return World(request.getfixturevalue("cluster_runtime"), request.getfixturevalue("cluster_image"), crash, False)


def _on_an_engine(request: pytest.FixtureRequest) -> Iterator[World]:
    api: APIClient = request.getfixturevalue("engine_api")
    platform: str = request.getfixturevalue("platform_id")
    runtime = request.getfixturevalue(f"{request.param}_runtime")

    def crash(app_id: int, name: str) -> None:
        kind, _, index = name.rpartition(".")
        labels = {"platform": platform, "app": app_id, "type": kind, "index": index}
        (found,) = api.containers(filters={"label": [f"wherry.{key}={value}" for key, value in labels.items()]})
        pid = api.inspect_container(found["Id"])["State"]["Pid"]
        # Not `docker kill`, which the engine takes for the operator's wish.
        assert pid > 1
        os.kill(pid, signal.SIGKILL)

    yield World(runtime, request.getfixturevalue("pushed_image"), crash)
    if request.param == "swarm":
        runtime.remove()
    remove_platform(api, platform)
