import threading
import time

import pytest
from wherry.domain.image import Image
from wherry.runtimes.machine import log_follow
from wherry.runtimes.machine.runtime import MachineRuntime

from tests.runtimes.machine_world import eventually, quiet, workload

pytestmark = pytest.mark.engine


def test_a_line_longer_than_the_engines_pieces_comes_whole(
    machine_runtime: MachineRuntime, pushed_image: Image
) -> None:
    machine_runtime.start([workload(pushed_image, "worker", env={"MODE": "long"})], quiet)
    lines = [line[2] for line in machine_runtime.logs(1, follow=False, lines=10) if line]
    assert lines == [b"x" * 40000, b"end"]


def test_following_goes_on_after_a_crash_and_shows_no_line_twice(
    machine_runtime: MachineRuntime, pushed_image: Image
) -> None:
    machine_runtime.start([workload(pushed_image, env={"MODE": "crashes", "LIFE": "0.5"})], quiet)
    lines = machine_runtime.logs(1, follow=True, lines=10)
    seen: list[tuple[str, str, bytes]] = []
    deadline = time.monotonic() + 20
    while len(seen) < 4:
        assert time.monotonic() < deadline
        if line := next(lines):
            seen.append(line)
    lines.close()  # type: ignore[attr-defined]
    assert {line for _, _, line in seen} == {b"web.1 boots"}
    assert len(set(seen)) == 4
    assert [at for at, _, _ in seen] == sorted(at for at, _, _ in seen)


def test_lines_of_two_processes_are_merged_by_time_and_idle_is_told(
    machine_runtime: MachineRuntime, pushed_image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_follow, "IDLE", 0.3)
    machine_runtime.start([workload(pushed_image, "worker", env={"MODE": "chatty"}, quantity=2, settle=1.0)], quiet)
    found = [line for line in machine_runtime.logs(1, follow=False, lines=12) if line]
    assert len(found) == 12
    assert [at for at, _, _ in found] == sorted(at for at, _, _ in found)
    assert {name for _, name, _ in found} == {"worker.1", "worker.2"}
    quiet_one = machine_runtime.logs(1, follow=True, lines=0, process="web")
    assert next(quiet_one) is None
    quiet_one.close()  # type: ignore[attr-defined]


def test_closing_ends_every_thread_also_with_a_reader_that_lags_behind(
    machine_runtime: MachineRuntime, pushed_image: Image
) -> None:
    before = threading.active_count()
    machine_runtime.start([workload(pushed_image, "worker", env={"MODE": "flood"}, quantity=2)], quiet)
    lines = machine_runtime.logs(1, follow=True, lines=5)
    for _ in range(5):
        next(lines)
    eventually(lambda: next(lines) is not None)
    time.sleep(0.3)  # let the mailbox fill
    began = time.monotonic()
    lines.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 5
    eventually(lambda: threading.active_count() <= before)
