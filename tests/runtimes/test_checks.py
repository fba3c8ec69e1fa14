"""Health checks on real processes: before the first request, and while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from docker import APIClient
from wherry.domain.errors import RolloutFailed, RolloutFailure
from wherry.domain.health import Check, Kind
from wherry.domain.image import Image
from wherry.runtimes.machine.runtime import MachineRuntime

from tests.runtimes.machine_world import containers, eventually, quiet, workload

pytestmark = pytest.mark.engine

SHELL = ("/bin/sh", "-c")
WELL = (*SHELL, "! test -e /workspace/sick")


def failure(runtime: MachineRuntime, image: Image, *checks: Check, kind: str = "web") -> RolloutFailed:
    with pytest.raises(RolloutFailed) as caught:
        runtime.start([workload(image, kind, checks=checks)], quiet)
    assert caught.value.kind is RolloutFailure.NOT_HEALTHY
    return caught.value


@contextmanager
def looked_after(runtime: MachineRuntime) -> Iterator[list[tuple[int, str, str]]]:
    told: list[tuple[int, str, str]] = []
    stop = Event()
    thread = Thread(target=runtime.look_after, args=(stop, lambda *news: told.append(news)))
    thread.start()
    yield told
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def in_container(api: APIClient, platform: str, line: str) -> None:
    (found,) = containers(api, platform)
    made = api.exec_create(str(found["Id"]), [*SHELL, line])
    api.exec_start(made["Id"])


def test_a_process_that_passes_its_checks_comes_up(machine_runtime: MachineRuntime, pushed_image: Image) -> None:
    checks = (
        Check(path="/index.html", content="web.1 well", headers=(("X-A", "b"),)),
        Check(Kind.READINESS, command=(*SHELL, "echo fine")),
        Check(listening=True),
        Check(uptime=1),
        Check(path="/nowhere", warn=True, attempts=1),
    )
    machine_runtime.start([workload(pushed_image, checks=checks, env={"WORD": "well"})], quiet)
    assert [each.name for each in machine_runtime.processes()] == ["web.1"]


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (Check(path="/nowhere", attempts=2, wait=0), "its startup check: GET /nowhere answered 404 (2 tries)"),
        (
            Check(Kind.READINESS, "front", path="/", content="gone", attempts=1),
            "its readiness check 'front': the answer ",
        ),
        (Check(path="/", port=81, attempts=1), "its startup check: GET /: [Errno 111] Connection refused (one try)"),
        (Check(listening=True, port=81, attempts=1), "its startup check: port 81 takes no connection (one try)"),
        (Check(command=(*SHELL, "echo no table; exit 4"), attempts=1), "ended with exit code 4: no table (one try)"),
        (Check(command=(*SHELL, "sleep 60"), attempts=1, timeout=1), "the command did not end within 1 s (one try)"),
        (Check(command=("/bin/nothing",), attempts=1), "exit code 12"),
    ],
)
def test_a42_a_failed_check_is_told_with_its_reason_and_nothing_stays(
    machine_runtime: MachineRuntime, pushed_image: Image, check: Check, said: str
) -> None:
    error = failure(machine_runtime, pushed_image, check)
    assert error.message.startswith("web.1 failed its ")
    assert said in error.message
    assert machine_runtime.processes() == []


def test_a_worker_may_have_checks_too(machine_runtime: MachineRuntime, pushed_image: Image) -> None:
    error = failure(machine_runtime, pushed_image, Check(command=("false",), attempts=1), kind="worker")
    assert error.message == "worker.1 failed its startup check: the command ended with exit code 1 (one try)"


def test_a_process_that_fails_its_liveness_check_is_restarted_where_it_is(
    machine_runtime: MachineRuntime, pushed_image: Image, engine_api: APIClient, platform_id: str
) -> None:
    alive = Check(Kind.LIVENESS, "alive", command=WELL, attempts=2, wait=0)
    machine_runtime.start([workload(pushed_image, checks=(alive,), stop_grace=1.0)], quiet)
    (before,) = machine_runtime.processes()
    with looked_after(machine_runtime) as told:
        in_container(engine_api, platform_id, "echo >/workspace/sick")
        eventually(lambda: machine_runtime.processes()[0].since > before.since)
    assert told[0] == (
        1,
        "web.1",
        "Process failed its liveness check 'alive' 2 times: the command ended with exit code 1; it is restarted",
    )
    (after,) = machine_runtime.processes()
    assert after.endpoint == before.endpoint


def test_a_liveness_check_that_only_warns_restarts_nothing(
    machine_runtime: MachineRuntime, pushed_image: Image
) -> None:
    watched = Check(Kind.LIVENESS, path="/nowhere", attempts=1, wait=0, warn=True)
    machine_runtime.start([workload(pushed_image, checks=(watched,))], quiet)
    (before,) = machine_runtime.processes()
    with looked_after(machine_runtime) as told:
        eventually(lambda: len(told) >= 2)
    assert told[0][2] == "Process failed its liveness check once: GET /nowhere answered 404"
    assert machine_runtime.processes() == [before]
