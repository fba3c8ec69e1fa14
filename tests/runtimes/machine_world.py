"""A MachineRuntime of one test, and workloads for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from docker import APIClient
from wherry.domain.formation import Size
from wherry.domain.image import Image
from wherry.domain.secret import Secret
from wherry.domain.workload import Workload
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.runtime import MachineRuntime

from tests.fakes.app_logs import MemoryAppLogs
from tests.runtimes.tiny import ENGINE

SMALL = Size("small", 32, 500, pids=64)


@pytest.fixture
def app_logs() -> MemoryAppLogs:
    """Where `machine_runtime` keeps what a process wrote last."""
    return MemoryAppLogs()


@pytest.fixture
def machine_runtime(platform_id: str, registry: Registry, app_logs: MemoryAppLogs) -> Iterator[MachineRuntime]:
    runtime = MachineRuntime(ENGINE, platform_id, registry, logs=app_logs)
    yield runtime
    runtime.close()


def workload(image: Image, process_type: str = "web", **changes: object) -> Workload:
    """Config as in `env={"MODE": "exits"}`; see tests/runtimes/processes for what modes do."""
    env = {name: Secret(value) for name, value in dict(changes.pop("env", {})).items()}  # type: ignore[call-overload]
    values: dict[str, object] = {
        "app_id": 1,
        "app_name": "hello",
        "release": 1,
        "type": process_type,
        "image": image,
        "env": env,
        "size": SMALL,
        "boot_limit": 60.0,
        "settle": 0.3,
        "stop_grace": 5.0,
    }
    return Workload(**(values | changes))  # type: ignore[arg-type]


def quiet(line: str, mark: str = "") -> None:
    """A `say` for tests that do not look at it."""


def eventually(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.02)


def containers(api: APIClient, platform: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = api.containers(all=True, filters={"label": f"wherry.platform={platform}"})
    return found
