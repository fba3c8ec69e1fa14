"""A swarm of one node: the engine of the tests, which leaves it again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest
from docker import APIClient
from docker.errors import APIError
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.swarm.runtime import SwarmRuntime

from tests.fakes.app_logs import MemoryAppLogs
from tests.runtimes.tiny import ENGINE

_POOL = "10.232.0.0/16"
_GATE = "docker_gwbridge"


@pytest.fixture(scope="session")
def swarm(engine_api: APIClient) -> Iterator[None]:
    """Leaves one that was there as it is."""
    if engine_api.info()["Swarm"]["LocalNodeState"] == "active":
        yield
        return
    engine_api.init_swarm(advertise_addr="127.0.0.1", listen_addr="127.0.0.1:2377", default_addr_pool=[_POOL])
    yield
    engine_api.leave_swarm(force=True)
    until = time.monotonic() + 60
    while engine_api.networks(names=[_GATE]):
        with contextlib.suppress(APIError):  # the swarm's own network lets go of it a little later
            engine_api.remove_network(_GATE)
        assert time.monotonic() < until, "the swarm left its network behind"


@pytest.fixture
def swarm_runtime(swarm: None, platform_id: str, registry: Registry, app_logs: MemoryAppLogs) -> Iterator[SwarmRuntime]:
    runtime = SwarmRuntime(ENGINE, platform_id, registry, logs=app_logs)
    yield runtime
    runtime.close()
