import time

import pytest
from wherry.domain.image import Image
from wherry.domain.workload import ProcessState
from wherry.runtimes.machine.runtime import MachineRuntime

from tests.runtimes.machine_world import eventually, quiet, workload

pytestmark = pytest.mark.engine


def test_a38_a_crash_loop_is_seen_with_its_code_and_backs_off(
    machine_runtime: MachineRuntime, pushed_image: Image
) -> None:
    machine_runtime.start([workload(pushed_image, env={"MODE": "crashes", "LIFE": "1"})], quiet)
    (up,) = machine_runtime.processes()
    states: dict[ProcessState, str] = {}

    def looped() -> bool:
        (process,) = machine_runtime.processes()
        states[process.state] = process.detail
        assert process.endpoint == up.endpoint
        return process.restarts >= 4 and {ProcessState.CRASHED, ProcessState.STARTING} <= set(states)

    began = time.monotonic()
    eventually(looped)
    assert states[ProcessState.CRASHED] == "exited with code 4"
    assert states[ProcessState.STARTING].startswith("started again")
    # A second of life each, of which the first may be half over by now, and pauses of 0.1, 0.2, 0.4, 0.8 s between.
    assert time.monotonic() - began > 3 * 1 + 0.1 + 0.2 + 0.4
    machine_runtime.retire(1, [])
    assert machine_runtime.processes() == []
