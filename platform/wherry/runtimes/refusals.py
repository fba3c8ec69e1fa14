"""What is wrong with a process that did not become ready, in the same words on every runtime. `process`: ``web.1``."""

from __future__ import annotations

from collections.abc import Sequence

from wherry.domain.errors import RolloutFailed, RolloutFailure
from wherry.domain.workload import Workload

_NOT_FOUND = 127
_LARGER = "A larger size: wherry ps:scale {type}={quantity}:SIZE"
_NO_SHELL = "Its image has no /bin/sh to run a command in one line: write it as a list of words, or add a shell."
_LISTEN = "A web process must listen on address 0.0.0.0 and the port in $PORT."
_CHECKS = "The checks are those of its app.json: docs/app-contract.md"


def out_of_memory(process: str, workload: Workload, evidence: Sequence[str]) -> RolloutFailed:
    message = f"{process} needs more than its {workload.size.memory} MiB of memory (size {workload.size.name})"
    hint = _LARGER.format(type=workload.type, quantity=workload.quantity)
    return RolloutFailed(RolloutFailure.OUT_OF_MEMORY, message, evidence=evidence, hint=hint)


def exited(process: str, code: int, when: str, evidence: Sequence[str]) -> RolloutFailed:
    """`when`: as in ``before it listened on $PORT``."""
    no_shell = code == _NOT_FOUND and any("exec /bin/sh failed" in line for line in evidence)
    return RolloutFailed(
        RolloutFailure.EXITED,
        f"{process} exited with code {code} {when}",
        evidence=evidence or ["It wrote nothing."],
        hint=_NO_SHELL if no_shell else "",
    )


def not_listening(process: str, port: str, seconds: float, evidence: Sequence[str]) -> RolloutFailed:
    """`port`: as in ``$PORT (8080)``."""
    message = f"{process} does not listen on {port} {seconds:g} s after its start"
    return RolloutFailed(RolloutFailure.NOT_LISTENING, message, evidence=evidence, hint=_LISTEN)


def not_healthy(process: str, what: str, evidence: Sequence[str]) -> RolloutFailed:
    """`what`: as in ``its startup check: …``."""
    return RolloutFailed(RolloutFailure.NOT_HEALTHY, f"{process} failed {what}", evidence=evidence, hint=_CHECKS)
