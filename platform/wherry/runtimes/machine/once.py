"""A process that runs to its end, once: the release phase."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer

from wherry.domain.errors import Cancelled, RolloutFailed, RolloutFailure
from wherry.domain.text import log_line
from wherry.domain.workload import Workload
from wherry.flow.ports import Cancel, Say
from wherry.runtimes.machine.attempt import Tools, create
from wherry.runtimes.machine.engine import CLIENT_ERRORS, Engine, close_stream
from wherry.runtimes.machine.naming import Identity

_LONGEST_LINE = 64 * 1024


def run(tools: Tools, platform: str, workload: Workload, say: Say, cancel: Cancel) -> int:
    """Its exit code. What an earlier, interrupted run of it left is removed first. Raises docker's errors, Cancelled,
    and RolloutFailed: its image cannot be had, or it ran longer than its `boot_limit`.
    """
    who = Identity(platform, workload.app_id, workload.release, workload.type, 1)
    with _container(tools, who, workload) as container:
        end = _End(tools.engine, container)
        late = Timer(workload.boot_limit, end.now, ("late",))
        cancel.on_cancel(lambda: end.now("cancelled"))
        tools.engine.api.start(container)
        late.start()
        try:
            for line in _lines(tools.engine, container):
                say(line)
            code = int(tools.engine.api.wait(container)["StatusCode"])
        finally:
            late.cancel()
    if end.reason == "cancelled":
        raise Cancelled(f"{who.process} was stopped")
    if end.reason == "late":
        message = f"{who.process} ran longer than its {workload.boot_limit:.0f} seconds"
        raise RolloutFailed(RolloutFailure.RELEASE_PHASE, message)
    return code


class _End:
    """Why it was ended by us; "" when it was not."""

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine, self._container = engine, container
        self.reason = ""

    def now(self, reason: str) -> None:
        self.reason = self.reason or reason
        with suppress(*CLIENT_ERRORS):  # it has ended by itself, or the engine is gone: whoever waits hears it
            self._engine.api.kill(self._container)


@contextmanager
def _container(tools: Tools, who: Identity, workload: Workload) -> Iterator[str]:
    with tools.addresses.lock:
        listed = tools.list(who.platform)
        for each in listed:
            if Identity.of(each["Labels"]) == who:
                tools.engine.remove(each["Id"])
        place = tools.addresses.reserve([who.name], [each["Labels"] for each in listed])[who.name]
    container = ""
    try:
        container = create(tools, who, workload, place)
        tools.ours.add(container)
        yield container
    finally:
        tools.addresses.release([who.name])
        if container:
            tools.engine.remove(container)
            tools.ours.discard([container])


def _lines(engine: Engine, container: str) -> Iterator[str]:
    """Whole lines as they are written, until it ends; a line that will not end comes in pieces."""
    stream = engine.api.logs(container, stream=True, follow=True)
    rest = b""
    try:
        for chunk in stream:
            *whole, rest = (rest + chunk).split(b"\n")
            yield from map(log_line, whole)
            if len(rest) > _LONGEST_LINE:
                yield log_line(rest)
                rest = b""
        if rest:
            yield log_line(rest)
    finally:
        close_stream(stream)
