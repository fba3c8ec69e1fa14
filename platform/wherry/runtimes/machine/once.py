"""A process that runs to its end, once: the release phase, and what an app runs on a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Lock, Timer

from docker.types.daemon import CancellableStream

from wherry.domain.errors import Cancelled, NotFound, RolloutFailed, RolloutFailure
from wherry.domain.text import log_line
from wherry.domain.workload import Workload
from wherry.flow.ports import Cancel, MarkedSay
from wherry.runtimes.machine import lines, log_records
from wherry.runtimes.machine.attempt import Tools, create
from wherry.runtimes.machine.engine import CLIENT_ERRORS, Engine, close_stream
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.observe import moment
from wherry.runtimes.marks import Output

_LEFT, _CANCELLED, _LATE = "left", "cancelled", "late"


def run(
    tools: Tools,
    platform: str,
    workload: Workload,
    say: MarkedSay,
    cancel: Cancel,
    number: int,
    leave: Cancel | None,
    *,
    resume: bool,
    heard: str,
) -> int:
    """Its exit code. What an earlier, interrupted run of it left is removed first, or, where it may be left, gone on
    with. Raises docker's errors, Cancelled, and RolloutFailed: its image cannot be had, or it ran longer than its
    `boot_limit`.
    """
    who = Identity(platform, workload.app_id, workload.release, workload.type, number)
    with _container(tools, who, workload, leave, resume=resume) as running:
        end = running.end
        cancel.on_cancel(lambda: end.now(_CANCELLED))
        if leave:
            leave.on_cancel(end.leave)
        late = Timer(running.begin(workload.boot_limit), end.now, (_LATE,))
        end.begun()
        late.start()
        try:
            for line, mark in running.lines(heard):
                say(line, mark)
            end.check_left()
            code = int(tools.engine.api.wait(running.container)["StatusCode"])
        finally:
            late.cancel()
    if end.reason == _CANCELLED:
        raise Cancelled(f"{who.process} was stopped")
    if end.reason == _LATE:
        message = f"{who.process} ran longer than its {workload.boot_limit:.0f} seconds"
        raise RolloutFailed(RolloutFailure.RELEASE_PHASE, message)
    return code


class _End:
    """Why it was ended by us, or left; "" when it was not. `leave` and `now` are called from any thread."""

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine, self._container = engine, container
        self._lock = Lock()
        self._stream: CancellableStream[bytes] | None = None
        self.reason = ""

    def now(self, reason: str) -> None:
        self.reason = self.reason or reason
        with suppress(*CLIENT_ERRORS):  # it has ended by itself, or the engine is gone: whoever waits hears it
            self._engine.api.kill(self._container)

    def begun(self) -> None:
        """The engine kills only what runs, so who wanted its end before that was not heard."""
        if self.reason and self.reason != _LEFT:
            self.now(self.reason)

    def leave(self) -> None:
        with self._lock:
            self.reason = self.reason or _LEFT
            if self._stream is not None:
                close_stream(self._stream)

    def reading(self, stream: CancellableStream[bytes]) -> None:
        with self._lock:
            self._stream = stream
            if self.reason == _LEFT:
                close_stream(stream)

    def check_left(self) -> None:
        if self.reason == _LEFT:
            raise Cancelled("it was left running")


class _Running:
    """`is_new`: not found from an earlier call."""

    def __init__(self, engine: Engine, container: str, is_new: bool) -> None:
        self._engine, self.container, self._is_new = engine, container, is_new
        self.end = _End(engine, container)

    def begin(self, seconds: float) -> float:
        """What is left of its time."""
        state = {} if self._is_new else self._engine.api.inspect_container(self.container)["State"]
        if state.get("Status", "created") == "created":
            self._engine.api.start(self.container)
            return seconds
        if not state["Running"]:
            return seconds  # it ended while nobody looked: its code tells how
        return max(0.0, seconds - (datetime.now(UTC) - moment(state["StartedAt"])).total_seconds())

    def lines(self, heard: str) -> Iterator[tuple[str, str]]:
        """Each with its mark; a line that will not end comes in pieces."""
        output = Output(lines.key(self.container), heard)
        stream = lines.open_after(self._engine, self.container, output.after, follow=True)
        self.end.reading(stream)
        try:
            for mark, piece in output.rest(log_records.records(stream)):
                if self.end.reason != _LEFT:  # the last one may be half a line then
                    yield log_line(piece), mark
        except CLIENT_ERRORS:
            self.end.check_left()
            raise
        finally:
            close_stream(stream)


@contextmanager
def _container(
    tools: Tools, who: Identity, workload: Workload, leave: Cancel | None, *, resume: bool
) -> Iterator[_Running]:
    container, is_left = "", False
    try:
        container, is_new = _found(tools, who) if leave else ("", True)
        if resume and not container:
            raise NotFound(f"nothing is left of {who.process}")
        container = container or _made(tools, who, workload, may_be_left=leave is not None)
        tools.ours.add(container)
        running = _Running(tools.engine, container, is_new)
        try:
            yield running
        finally:
            is_left = running.end.reason == _LEFT
    finally:
        tools.addresses.release([who.name])
        if container:
            if not is_left:
                tools.engine.remove(container)
            tools.ours.discard([container])


def _found(tools: Tools, who: Identity) -> tuple[str, bool]:
    """The container of an earlier call, and whether there is none."""
    for each in tools.list(who.platform):
        if Identity.of(each["Labels"]) == who:
            return str(each["Id"]), False
    return "", True


def _made(tools: Tools, who: Identity, workload: Workload, *, may_be_left: bool) -> str:
    with tools.addresses.lock:
        listed = tools.list(who.platform)
        for each in listed:
            if Identity.of(each["Labels"]) == who:
                tools.engine.remove(each["Id"])
        place = tools.addresses.reserve([who.name], [each["Labels"] for each in listed])[who.name]
    return create(tools, who, workload, place, once=may_be_left)
