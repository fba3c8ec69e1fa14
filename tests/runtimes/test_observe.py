from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from wherry.domain.workload import Endpoint, ProcessState
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.observe import counts, describe, moment

WHO = Identity("p1", 1, 2, "web", 1)
START = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


def inspected(status: str, policy: str = "always", restarts: int = 0, **state: object) -> dict[str, Any]:
    return {
        "Name": f"/{WHO.name}",
        "Created": "2026-01-02T03:04:00Z",
        "RestartCount": restarts,
        "Config": {"Labels": {"wherry.address": "10.213.0.7"}},
        "HostConfig": {"RestartPolicy": {"Name": policy}, "Memory": 512 * 1024 * 1024},
        "State": {
            "Status": status,
            "StartedAt": "2026-01-02T03:04:05.678901234Z",
            "FinishedAt": "2026-01-02T03:04:09.5Z",
            "ExitCode": 4,
            **state,
        },
    }


@pytest.mark.parametrize(
    ("engine_says", "state", "detail"),
    [
        (inspected("running"), ProcessState.UP, ""),
        (inspected("running", policy="no"), ProcessState.STARTING, ""),
        (inspected("created", policy="no"), ProcessState.STARTING, ""),
        (inspected("running", restarts=1), ProcessState.STARTING, "started again once"),
        (inspected("running", restarts=3), ProcessState.STARTING, "started again 3 times"),
        (inspected("restarting", restarts=3), ProcessState.CRASHED, "exited with code 4"),
        (inspected("exited"), ProcessState.CRASHED, "exited with code 4"),
        (inspected("restarting", OOMKilled=True), ProcessState.CRASHED, "needs more than its 512 MiB of memory"),
        (inspected("paused"), ProcessState.CRASHED, "paused by hand"),
    ],
)
def test_what_the_engine_says_becomes_a_state(engine_says: dict[str, Any], state: ProcessState, detail: str) -> None:
    found = describe(WHO, engine_says, START + timedelta(seconds=3))
    assert (found.state, found.detail) == (state, detail)


def test_a_process_that_ran_on_after_its_crash_is_up_again() -> None:
    found = describe(WHO, inspected("running", restarts=3), START + timedelta(seconds=11))
    assert (found.state, found.restarts, found.since) == (ProcessState.UP, 3, START)


def test_an_endpoint_is_kept_through_crashes_and_given_only_after_the_gate() -> None:
    endpoints = [describe(WHO, each, START).endpoint for each in (inspected("running"), inspected("restarting"))]
    assert endpoints == [Endpoint("10.213.0.7", 8080)] * 2
    assert describe(WHO, inspected("running", policy="no"), START).endpoint is None


def test_a_new_container_counts_once_it_passed_its_gate() -> None:
    aside = {**inspected("running"), "Name": f"/{WHO.name}-old-0123abcd"}
    ranks = [counts(each, WHO) for each in (inspected("running", policy="no"), aside, inspected("running"))]
    assert ranks == [0, 1, 2]


def test_the_engines_times_are_read_with_any_number_of_digits() -> None:
    assert moment("2026-01-02T03:04:05.678901234Z") == START
    assert moment("2026-01-02T03:04:05.5Z") == START.replace(microsecond=500000)
    assert moment("2026-01-02T03:04:05Z") == START.replace(microsecond=0)
    with pytest.raises(ValueError, match="not a time"):
        moment("yesterday")
