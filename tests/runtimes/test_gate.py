"""What a person reads when a process does not come up, from real processes."""

import pytest
from wherry.domain.errors import RolloutFailed, RolloutFailure
from wherry.domain.image import Image
from wherry.domain.workload import Workload
from wherry.runtimes.machine import gate
from wherry.runtimes.machine.gate import passes
from wherry.runtimes.machine.lives import Life
from wherry.runtimes.machine.runtime import MachineRuntime

from tests.runtimes.machine_world import containers, quiet, workload

pytestmark = pytest.mark.engine


def failure(runtime: MachineRuntime, image: Image, kind: str = "web", **changes: object) -> RolloutFailed:
    with pytest.raises(RolloutFailed) as caught:
        runtime.start([workload(image, kind, **changes)], quiet)
    return caught.value


def test_a38_a_process_that_exits_is_told_with_its_code_and_last_20_lines(
    machine_runtime: MachineRuntime, pushed_image: Image
) -> None:
    error = failure(machine_runtime, pushed_image, env={"MODE": "exits"})
    assert error.kind is RolloutFailure.EXITED
    assert error.message == "web.1 exited with code 3 before it listened on $PORT"
    assert len(error.evidence) == 20
    assert error.evidence[-1] == "no database"
    assert error.evidence[-2] == "line 30"


def test_a38_a_worker_that_exits_within_its_settling_time_fails_even_with_code_0(
    machine_runtime: MachineRuntime, pushed_image: Image
) -> None:
    error = failure(machine_runtime, pushed_image, "worker", env={"MODE": "exits"}, settle=30)
    assert error.message == "worker.1 exited with code 5 within 30 s of its start"
    assert error.evidence == ("It wrote nothing.",)


def test_a_command_that_does_not_exist_is_told(machine_runtime: MachineRuntime, pushed_image: Image) -> None:
    error = failure(machine_runtime, pushed_image, "clock", settle=30)
    assert error.kind is RolloutFailure.EXITED
    assert error.message == "clock.1 exited with code 127 within 30 s of its start"
    assert "/cnb/process/clock" in error.evidence[-1]


@pytest.mark.parametrize(
    ("mode", "instead"),
    [
        ("deaf", "It listens on no port."),
        ("elsewhere", "It listens on port 3000 instead."),
        ("loopback", "It listens on 127.0.0.1 only, where nothing outside its container can reach it."),
    ],
)
def test_a37_a_process_that_does_not_listen_is_told_where_it_does(
    machine_runtime: MachineRuntime, pushed_image: Image, mode: str, instead: str
) -> None:
    error = failure(machine_runtime, pushed_image, env={"MODE": mode}, boot_limit=2.5)
    assert error.kind is RolloutFailure.NOT_LISTENING
    assert error.message == "web.1 does not listen on $PORT (8080) 2.5 s after its start"
    assert error.evidence == ("web.1 boots", instead)
    assert error.hint == "A web process must listen on address 0.0.0.0 and the port in $PORT."


def test_a40_memory_is_told_with_its_limit_and_the_command_for_more(
    machine_runtime: MachineRuntime, pushed_image: Image
) -> None:
    error = failure(machine_runtime, pushed_image, env={"MODE": "hungry"})
    assert error.kind is RolloutFailure.OUT_OF_MEMORY
    assert error.message == "web.1 needs more than its 32 MiB of memory (size small)"
    assert error.hint == "A larger size: wherry ps:scale web=1:SIZE"


def test_hostile_output_is_shown_not_run(
    machine_runtime: MachineRuntime, pushed_image: Image, platform_id: str, engine_api: object
) -> None:
    error = failure(machine_runtime, pushed_image, env={"MODE": "title"})
    assert error.evidence[-1] == "\\x1b]0;owned\\x07 \\u202egnp"
    assert containers(engine_api, platform_id) == []  # type: ignore[arg-type]


def test_a38_a_process_that_ends_right_after_its_first_connection_is_told_and_not_blamed_on_the_engine(
    machine_runtime: MachineRuntime, pushed_image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    def passes_and_ends(workload: Workload, address: str, life: Life) -> bool:
        return passes(workload, address, life) and life.over.wait(20)

    monkeypatch.setattr(gate, "passes", passes_and_ends)
    error = failure(machine_runtime, pushed_image, env={"MODE": "once"})
    assert error.kind is RolloutFailure.EXITED
    assert error.message == "web.1 exited with code 6 right after a first connection to $PORT"
