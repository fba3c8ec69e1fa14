"""One-offs without containers: each is a program of this machine, so that terminals, pipes and signals are real."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from selectors import EVENT_READ, DefaultSelector
from threading import Lock

from wherry.domain.errors import NotFound, PlatformFault
from wherry.domain.one_off import Task
from wherry.flow.task_ports import Channel, Ended, Session, Stage, TaskState

GRACE = 1.0


class LocalTasks:
    """A mixin of the runtime in memory. `begun` lists what was started, `entered` what ran inside a process; `time` tells
    when. One that has ended did so, for us, when it began.
    """

    fault: PlatformFault | None = None

    def __init__(self) -> None:
        self.begun: list[Task] = []
        self.entered: list[tuple[str, Task]] = []
        self._local: dict[int, tuple[Task, LocalSession, datetime]] = {}
        self._guard = Lock()
        self.time: Callable[[], datetime] = lambda: datetime.now(UTC)

    def launch(self, task: Task) -> None:
        self._begin(task)

    def attach(self, task: Task) -> Session:
        return self._begin(task)

    def enter(self, task: Task, process: str) -> Session:
        self._check_tasks()
        if process not in self._names_of(task.workload.app_id):
            raise NotFound(f"{task.workload.app_name} runs no '{process}'")
        self.entered.append((process, task))
        return LocalSession(task, lambda: None)

    def tasks(self, app_id: int | None = None) -> list[TaskState]:
        self._check_tasks()
        with self._guard:
            known = sorted(self._local.items())
        return [
            TaskState(
                number,
                task.workload.app_id,
                Stage.RUNNING if session.code is None else Stage.ENDED,
                began,
                None if session.code is None else Ended(session.code),
            )
            for number, (task, session, began) in known
            if app_id in (None, task.workload.app_id)
        ]

    def end(self, ids: Collection[int]) -> None:
        self._check_tasks()
        for number in ids:
            with self._guard:
                found = self._local.pop(number, None)
            if found:
                found[1].close()

    def end_all(self) -> None:
        """After a test: none of its programs goes on."""
        for _, session, _ in list(self._local.values()):
            session.close()

    def _begin(self, task: Task) -> LocalSession:
        self._check_tasks()
        self.begun.append(task)
        session = LocalSession(task, lambda: self._forget(task.id))
        with self._guard:
            self._local[task.id] = (task, session, self.time())
        return session

    def _forget(self, number: int) -> None:
        with self._guard:
            self._local.pop(number, None)

    def _names_of(self, app_id: int) -> list[str]:
        raise NotImplementedError

    def _check_tasks(self) -> None:
        if self.fault:
            raise self.fault


class LocalSession:
    def __init__(self, task: Task, on_close: Callable[[], None]) -> None:
        start = task.workload.start
        assert start
        self._on_close = on_close
        self._tty = task.tty and task.attach
        env = {"PATH": os.environ["PATH"], **{key: value.reveal() for key, value in task.workload.env.items()}}
        argv = ["/bin/sh", "-c", start.argv[-1]]
        if self._tty:
            self._master, slave = os.openpty()
            self._child = subprocess.Popen(
                argv, env=env, stdin=slave, stdout=slave, stderr=slave, preexec_fn=_own_terminal, start_new_session=True
            )
            os.close(slave)
        else:
            pipe, none = subprocess.PIPE, subprocess.DEVNULL
            self._child = subprocess.Popen(
                argv, env=env, bufsize=0, start_new_session=True, stdin=pipe if task.attach else none,
                stdout=pipe if task.attach else none, stderr=pipe if task.attach else none,
            )  # fmt: skip

    @property
    def code(self) -> int | None:
        return self._child.poll()

    def output(self) -> Iterator[tuple[Channel, bytes]]:
        if self._tty:
            with suppress(OSError):  # a terminal that nobody has open any more
                while chunk := os.read(self._master, 65536):
                    yield Channel.OUT, chunk
            return
        with DefaultSelector() as selector:
            for stream, channel in ((self._child.stdout, Channel.OUT), (self._child.stderr, Channel.ERR)):
                assert stream
                selector.register(stream, EVENT_READ, channel)
            while selector.get_map():
                for key, _ in selector.select():
                    if chunk := os.read(key.fd, 65536):
                        yield key.data, chunk
                    else:
                        selector.unregister(key.fileobj)

    def write(self, data: bytes) -> None:
        with suppress(BrokenPipeError, OSError, ValueError):
            if self._tty:
                os.write(self._master, data)
            elif self._child.stdin:
                self._child.stdin.write(data)

    def end_input(self) -> None:
        if self._tty:
            self.write(b"\x04")
        elif self._child.stdin:
            self._child.stdin.close()

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def signal(self, name: str) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.Signals[f"SIG{name}"])

    def ended(self) -> Ended:
        code = self._child.wait()
        self.close()
        return Ended(code if code >= 0 else 128 - code)

    def stop(self) -> None:
        for name in ("HUP", "TERM"):
            self.signal(name)
        try:
            self._child.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.signal("KILL")
            self._child.wait()

    def close(self) -> None:
        self._on_close()
        self.stop()
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            if stream:
                with suppress(OSError):
                    stream.close()
        if self._tty and self._master >= 0:
            master, self._master = self._master, -1
            os.close(master)


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
