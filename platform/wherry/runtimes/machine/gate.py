"""Is a process that was just started ready? If not: why, in words that its author can act on."""

from __future__ import annotations

import socket
import time
from typing import Any

from wherry.domain.errors import RolloutFailed, RolloutFailure
from wherry.domain.text import log_line
from wherry.domain.workload import Workload
from wherry.runtimes.machine import checks
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.listen import listeners, said
from wherry.runtimes.machine.lives import Life
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.spec import PORT

_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.05
_EVIDENCE = 20
_KILLED = 137
_NOT_FOUND = 127
_NO_SHELL = "Its image has no /bin/sh to run a command in one line: write it as a list of words, or add a shell."
_OOM_LAG = 0.5  # the engine may hear of the end first, and of its reason later
_LARGER = "A larger size: wherry ps:scale {type}={quantity}:SIZE"


def passes(workload: Workload, address: str, life: Life) -> bool:
    """Waits until the process is ready; False when it ended, or did not become so in its time."""
    if workload.listens:
        return _accepts(address, checks.boot_limit(workload), life)
    return not life.over.wait(workload.settle)


def _accepts(address: str, limit: float, life: Life) -> bool:
    """No event tells that a port was opened, so ask, soon at first and then every 50 ms."""
    deadline = time.monotonic() + limit
    pause = _FIRST_PAUSE
    while (left := deadline - time.monotonic()) > 0:
        try:
            socket.create_connection((address, PORT), timeout=min(left, 1.0)).close()
        except OSError:
            if life.over.wait(min(pause, left)):
                return False
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            return True
    return False


def why_not(
    engine: Engine,
    who: Identity,
    workload: Workload,
    container: str,
    life: Life,
    *,
    passed: bool = False,
    unwell: str = "",
) -> RolloutFailed:
    """The reason of a process that did not pass, or that ended right after it had `passed`, with its last lines. `unwell`:
    what a health check said.
    """
    state: dict[str, Any] = engine.api.inspect_container(container)["State"]
    lines = engine.api.logs(container, tail=_EVIDENCE).split(b"\n")
    evidence = [log_line(line) for line in lines if line][-_EVIDENCE:]
    if state.get("OOMKilled") or life.oom.wait(_OOM_LAG if state.get("ExitCode") == _KILLED else 0):
        return _out_of_memory(who, workload, evidence)
    if not state.get("Running"):
        return _exited(who, workload, int(state.get("ExitCode", 0)), evidence, passed)
    if unwell:
        hint = "The checks are those of its app.json: docs/app-contract.md"
        return RolloutFailed(RolloutFailure.NOT_HEALTHY, f"{who.process} failed {unwell}", evidence=evidence, hint=hint)
    return _not_listening(who, workload, said(PORT, listeners(int(state["Pid"]))), evidence)


def _out_of_memory(who: Identity, workload: Workload, evidence: list[str]) -> RolloutFailed:
    return RolloutFailed(
        RolloutFailure.OUT_OF_MEMORY,
        f"{who.process} needs more than its {workload.size.memory} MiB of memory (size {workload.size.name})",
        evidence=evidence,
        hint=_LARGER.format(type=who.type, quantity=workload.quantity),
    )


def _exited(who: Identity, workload: Workload, code: int, evidence: list[str], passed: bool) -> RolloutFailed:
    when = f"within {workload.settle:g} s of its start"
    if workload.listens:
        when = "right after a first connection to $PORT" if passed else "before it listened on $PORT"
    return RolloutFailed(
        RolloutFailure.EXITED,
        f"{who.process} exited with code {code} {when}",
        evidence=evidence or ["It wrote nothing."],
        hint=_NO_SHELL if code == _NOT_FOUND and any("exec /bin/sh failed" in line for line in evidence) else "",
    )


def _not_listening(who: Identity, workload: Workload, instead: str, evidence: list[str]) -> RolloutFailed:
    return RolloutFailed(
        RolloutFailure.NOT_LISTENING,
        f"{who.process} does not listen on $PORT ({PORT}) {checks.boot_limit(workload):g} s after its start",
        evidence=[*evidence, instead],
        hint="A web process must listen on address 0.0.0.0 and the port in $PORT.",
    )
