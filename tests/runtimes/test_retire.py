import time
from datetime import UTC, datetime, timedelta

import pytest
from docker import APIClient
from wherry.domain.image import Image
from wherry.runtimes.machine.runtime import MachineRuntime

from tests.fakes.app_logs import MemoryAppLogs
from tests.runtimes.machine_world import containers, quiet, workload

pytestmark = pytest.mark.engine


def test_a_process_hears_sigterm_and_may_end_by_itself(
    machine_runtime: MachineRuntime,
    app_logs: MemoryAppLogs,
    pushed_image: Image,
    engine_api: APIClient,
    platform_id: str,
) -> None:
    machine_runtime.start([workload(pushed_image, "worker", stop_grace=200.0)], quiet)
    began = time.monotonic()
    machine_runtime.retire(1, [])
    assert time.monotonic() - began < 100
    assert [kept.line.text for kept in app_logs.read(1, 10)] == ["working", "got SIGTERM"]
    assert containers(engine_api, platform_id) == []


def test_all_are_stopped_at_once_and_killed_after_the_grace(
    machine_runtime: MachineRuntime, pushed_image: Image, engine_api: APIClient, platform_id: str
) -> None:
    stubborn = workload(pushed_image, "worker", env={"MODE": "stubborn"}, quantity=3, stop_grace=1.0)
    machine_runtime.start([stubborn], quiet)
    ours = {"type": "container", "label": f"wherry.platform={platform_id}", "event": ["kill", "die"]}
    began, since = time.monotonic(), datetime.now(UTC)
    machine_runtime.retire(1, [])
    assert time.monotonic() - began >= 1.0
    assert containers(engine_api, platform_id) == []
    told = engine_api.events(since=since, until=datetime.now(UTC) + timedelta(seconds=1), filters=ours, decode=True)
    asked = [each["Actor"]["Attributes"].get("signal", "ended") for each in told]
    assert asked[:3] == ["15"] * 3, "each is asked before any has ended"
    assert sorted(asked[3:]) == ["9"] * 3 + ["ended"] * 3


def test_a_program_that_ignores_signals_by_default_is_stopped_too(
    machine_runtime: MachineRuntime, pushed_image: Image
) -> None:
    """As process 1 a program without a handler would not hear SIGTERM at all."""
    machine_runtime.start([workload(pushed_image, "worker", env={"MODE": "plain"}, stop_grace=200.0)], quiet)
    began = time.monotonic()
    machine_runtime.retire(1, [])
    assert time.monotonic() - began < 100
