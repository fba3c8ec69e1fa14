"""Looks whether a process is well, as its app's health checks say: by HTTP, by a command in its container, by a port."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from threading import Event, Thread, Timer
from typing import Any

from docker.errors import APIError

from wherry.domain.health import Check, Kind
from wherry.domain.text import log_line, printable
from wherry.domain.workload import Workload
from wherry.runtimes.machine.engine import CLIENT_ERRORS, Engine
from wherry.runtimes.machine.lives import Life
from wherry.runtimes.machine.spec import PORT

_MOST_BODY = 64 * 1024
_MOST_OUTPUT = 2000


@dataclass(frozen=True, slots=True)
class Patient:
    """One container to look at, by its address."""

    engine: Engine
    container: str
    address: str


def boot_limit(workload: Workload) -> float:
    """Seconds until a web process must listen: more where the app's own start checks have more patience."""
    return max([workload.boot_limit, *(each.longest for each in _at_start(workload))])


def failed_at_start(patient: Patient, workload: Workload, life: Life) -> str:
    """Waits for what must hold before the first request; "" when it holds, or when the process has ended meanwhile."""
    for check in _at_start(workload):
        if reason := _failed(patient, check, life):
            return f"its {check.title}: {reason} ({_times(check.attempts)})"
    return ""


def look(patient: Patient, check: Check) -> str:
    """One try: "" when all is well, else what is not. Raises docker's errors."""
    if check.path:
        return _by_http(patient, check)
    if check.command:
        return _by_command(patient, check)
    return _by_port(patient, check) if check.listening else ""


def _at_start(workload: Workload) -> list[Check]:
    return [each for each in workload.checks if each.kind is not Kind.LIVENESS and not each.warn]


def _failed(patient: Patient, check: Check, life: Life) -> str:
    if life.over.wait(check.delay + check.uptime):
        return ""
    reason = ""
    for left in reversed(range(check.attempts)):
        reason = look(patient, check)
        if not reason or (left and life.over.wait(check.wait)):
            return ""
    return "" if life.over.is_set() else reason


def _by_http(patient: Patient, check: Check) -> str:
    """Redirects count as an answer and are not followed: they may lead anywhere."""
    connection = http.client.HTTPConnection(patient.address, check.port or PORT, timeout=check.timeout)
    until = time.monotonic() + check.timeout
    # A timeout of the socket is for each read; an app that sends a byte a second must not hold us for ever.
    late = Timer(check.timeout, _cut, (connection,))
    try:
        connection.connect()
        late.start()
        connection.request("GET", check.path, headers=dict(check.headers))
        with closing(connection.getresponse()) as answer:
            body = _body(answer) if check.content else b""
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, TimeoutError) or time.monotonic() >= until:
            return f"GET {check.path} did not answer within {check.timeout} s"
        return f"GET {check.path}: {printable(str(error) or type(error).__name__, 100)}"
    finally:
        late.cancel()
        connection.close()
    if not 200 <= answer.status < 400:
        return f"GET {check.path} answered {answer.status}"
    if check.content.encode() not in body:
        return f"the answer to GET {check.path} lacks '{printable(check.content, 60)}'"
    return ""


def _cut(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _body(answer: http.client.HTTPResponse) -> bytes:
    body = b""
    while len(body) < _MOST_BODY and (chunk := answer.read1(_MOST_BODY)):
        body += chunk
    return body


def _by_port(patient: Patient, check: Check) -> str:
    port = check.port or PORT
    try:
        socket.create_connection((patient.address, port), timeout=check.timeout).close()
    except OSError:
        return f"port {port} takes no connection"
    return ""


def _by_command(patient: Patient, check: Check) -> str:
    api = patient.engine.api
    try:
        made = str(api.exec_create(patient.container, list(check.command))["Id"])
    except APIError as error:
        return f"the command could not be run: {printable(str(error.explanation), 200)}"
    run = _Command(patient.engine, made)
    Thread(target=run.to_its_end, name="health command", daemon=True).start()
    if not run.over.wait(check.timeout):
        run.kill()
        return f"the command did not end within {check.timeout} s"
    if run.error:
        raise run.error
    if run.refused:
        return f"the command could not be run: {printable(run.refused, 200)}"
    if run.code:
        # Each piece of output has a head of eight bytes, which begins with 1 or 2 and three NULs.
        lines = re.split(rb"[\x00-\x02]\x00{3}.{4}|\n", run.output, flags=re.DOTALL)
        last = next((line for line in reversed(lines) if line.strip()), b"")
        said = f": {log_line(last, 200)}" if last else ""
        return f"the command ended with exit code {run.code}{said}"
    return ""


class _Command:
    def __init__(self, engine: Engine, made: str) -> None:
        self._engine, self._made = engine, made
        self.over = Event()
        self.output = b""
        self.code = 0
        self.refused = ""
        self.error: Exception | None = None

    def to_its_end(self) -> None:
        try:
            # Not by the client's own exec_start, which leaves its connection to the garbage collector.
            api = self._engine.api
            path = f"{api.base_url}/v{api.api_version}/exec/{self._made}/start"
            with api.post(path, json={"Detach": False, "Tty": False}, stream=True, timeout=None) as answer:
                self.refused = "" if answer.ok else answer.text
                for chunk in answer.iter_content(_MOST_OUTPUT):
                    self.output = (self.output + chunk)[-_MOST_OUTPUT:]
            self.code = int(self._state()["ExitCode"] or 0)
        except CLIENT_ERRORS as error:
            self.error = error
        finally:
            self.over.set()

    def kill(self) -> None:
        """The engine cannot end a command; its process can be ended from outside, where that is this machine."""
        with suppress(*CLIENT_ERRORS, ProcessLookupError, PermissionError):
            if (pid := int(self._state()["Pid"])) > 1 and not self.over.is_set():
                os.kill(pid, signal.SIGKILL)

    def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = self._engine.api.exec_inspect(self._made)
        return found


def _times(attempts: int) -> str:
    return "one try" if attempts == 1 else f"{attempts} tries"
