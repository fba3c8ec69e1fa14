"""Somebody talks to a program in a container: to one of its own, or to one inside a process that runs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from docker.errors import APIError, NotFound

from wherry.domain.errors import PlatformFault
from wherry.flow.task_ports import Channel, Ended
from wherry.runtimes.machine.engine import HINT, Engine, ended
from wherry.runtimes.machine.hijack import STDERR, Stream

_END_OF_INPUT = b"\x04"  # as a terminal has it
_STOPPED = Ended(143, "it was stopped")

SESSION = "WHERRY_SESSION"
# The engine cannot signal what it runs inside a container, so another program in there does: $1 marks the session, $2 is
# the signal. The marker is inherited, so whatever the program has started is found too.
_SIGNAL = f"""
for each in /proc/[0-9]*; do
  case "$(cat "$each/environ" 2>/dev/null)" in *"{SESSION}=$1"*) kill -s "$2" "${{each#/proc/}}" 2>/dev/null ;; esac
done
:
"""


class _Talked:
    """What goes to a program and comes from it, whichever it is."""

    _stream: Stream
    _tty: bool

    def output(self) -> Iterator[tuple[Channel, bytes]]:
        for which, data in self._stream.output():
            yield Channel.ERR if which == STDERR else Channel.OUT, data

    def write(self, data: bytes) -> None:
        self._stream.write(data)

    def end_input(self) -> None:
        if self._tty:
            self._stream.write(_END_OF_INPUT)
        else:
            self._stream.end_input()


class ContainerSession(_Talked):
    """A one-off's own container, which `take_away` stops and removes."""

    def __init__(
        self, engine: Engine, container: str, stream: Stream, tty: bool, take_away: Callable[[], None]
    ) -> None:
        self._engine, self._container, self._stream, self._tty = engine, container, stream, tty
        self._take_away = take_away
        self._gone = False

    def resize(self, rows: int, columns: int) -> None:
        with _unless_over("size the terminal", self._engine):
            self._engine.api.resize(self._container, rows, columns)

    def signal(self, name: str) -> None:
        with _unless_over("signal the one-off", self._engine):
            self._engine.api.kill(self._container, name)

    def ended(self) -> Ended:
        try:
            with self._engine.doing("tell how the one-off ended"):
                code = int(self._engine.api.wait(self._container, timeout=None)["StatusCode"])
                found = self._engine.api.inspect_container(self._container)
                how = end_of(found, code)
        except PlatformFault as error:
            if not isinstance(error.__cause__, NotFound):
                raise
            how = _STOPPED
        self.close()
        return how

    def close(self) -> None:
        if not self._gone:
            self._take_away()
            self._gone = True
        self._stream.close()


class InnerSession(_Talked):
    """A program inside a container that stays when it has ended."""

    def __init__(self, engine: Engine, container: str, argv: list[str], env: dict[str, str], tty: bool) -> None:
        """Raises docker's errors."""
        self._engine, self._container, self._tty = engine, container, tty
        self._mark = secrets.token_hex(16)
        made = engine.api.exec_create(container, argv, stdin=True, tty=tty, environment={**env, SESSION: self._mark})
        self._exec = str(made["Id"])
        self._stream = Stream(engine, f"/exec/{self._exec}/start", {"Detach": False, "Tty": tty}, framed=not tty)
        self._over = False

    def resize(self, rows: int, columns: int) -> None:
        with _unless_over("size the terminal", self._engine):
            self._engine.api.exec_resize(self._exec, rows, columns)

    def signal(self, name: str) -> None:
        with _unless_over("signal the one-off", self._engine):
            argv = ["/bin/sh", "-c", _SIGNAL, "sh", self._mark, name]
            made = self._engine.api.exec_create(self._container, argv)
            self._engine.api.exec_start(made["Id"])

    def ended(self) -> Ended:
        with self._engine.doing("tell how the program ended"):
            found = self._engine.api.exec_inspect(self._exec)
            code = self._wait() if found["Running"] else int(found["ExitCode"])
        self._over = True
        self._stream.close()
        return Ended(code)

    def close(self) -> None:
        try:
            if not self._over:
                self._over = True
                self.signal("HUP")
                self.signal("KILL")
        finally:
            self._stream.close()

    def _wait(self) -> int:
        """It has closed its output and goes on, or has just ended: the engine tells of its end once."""
        filters = {"container": [self._container], "event": ["exec_die", "die"]}
        began = self._engine.api.inspect_container(self._container)["State"]["StartedAt"]
        events = self._engine.api.events(since=began, filters=filters, decode=True)
        with ended(events):
            for event in events:
                about = event["Actor"]["Attributes"]
                if event["Action"] == "die":
                    return _STOPPED.code
                if about.get("execID") == self._exec:
                    return int(about["exitCode"])
        raise PlatformFault(f"the Docker Engine at {self._engine.url} went away", hint=HINT)


def end_of(inspected: dict[str, Any], code: int) -> Ended:
    if inspected["State"].get("OOMKilled"):
        memory = int(inspected["HostConfig"]["Memory"]) // (1024 * 1024)
        return Ended(code, f"it needs more than its {memory} MiB of memory")
    return Ended(code)


@contextmanager
def _unless_over(what: str, engine: Engine) -> Iterator[None]:
    """What comes too late for a program that has ended is no fault."""
    try:
        with engine.doing(what):
            yield
    except PlatformFault as error:
        if not isinstance(error.__cause__, APIError):
            raise
