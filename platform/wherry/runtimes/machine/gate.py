"""Is a process that was just started ready? If not: why, in words that its author can act on."""

from __future__ import annotations

import socket
import time
from typing import Any

from wherry.domain.errors import RolloutFailed
from wherry.domain.text import log_line
from wherry.domain.workload import Workload
from wherry.runtimes import refusals
from wherry.runtimes.machine import checks
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.listen import listeners, said
from wherry.runtimes.machine.lives import Life
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.spec import PORT

_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.05
_SHARE = 0.05
_EVIDENCE = 20
_KILLED = 137
_OOM_LAG = 0.5  # the engine may hear of the end first, and of its reason later


def passes(workload: Workload, address: str, life: Life) -> bool:
    """Waits until the process is ready; False when it ended, or did not become so in its time."""
    if workload.listens:
        return _accepts(address, checks.boot_limit(workload), life)
    return not life.over.wait(workload.settle)


def _accepts(address: str, limit: float, life: Life) -> bool:
    """No event tells that a port was opened, so ask: never later than by a twentieth of the time that it took, and at
    most 50 ms.
    """
    began = time.monotonic()
    while (left := began + limit - time.monotonic()) > 0:
        try:
            socket.create_connection((address, PORT), timeout=min(left, 1.0)).close()
        except OSError:
            pause = min(max((time.monotonic() - began) * _SHARE, _FIRST_PAUSE), _LONGEST_PAUSE)
            if life.over.wait(min(pause, left)):
                return False
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
        return refusals.out_of_memory(who.process, workload, evidence)
    if not state.get("Running"):
        return refusals.exited(who.process, int(state.get("ExitCode", 0)), _when(workload, passed), evidence)
    if unwell:
        return refusals.not_healthy(who.process, unwell, evidence)
    instead = said(PORT, listeners(int(state["Pid"])))
    return refusals.not_listening(who.process, f"$PORT ({PORT})", checks.boot_limit(workload), [*evidence, instead])


def _when(workload: Workload, passed: bool) -> str:
    if workload.listens:
        return "right after a first connection to $PORT" if passed else "before it listened on $PORT"
    return f"within {workload.settle:g} s of its start"
