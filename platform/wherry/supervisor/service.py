"""One process of the platform: how it is started, found again by a later supervisor, and stopped."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MOST_LOG = 10 * 1024 * 1024


@dataclass(frozen=True)
class Service:
    """`ready` tells whether it answers; `stop` is the signal that ends it gracefully within `grace` seconds.

    Each runs in a session of its own and logs to a file, so none of them dies with the supervisor.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    ready: Callable[[], bool]
    stop: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    after: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Running:
    """A process by pid and start time, since a pid alone may have become another's."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        return _start_time(self.pid) == self.started

    def signal(self, number: signal.Signals) -> None:
        if self.alive:
            os.kill(self.pid, number)


@dataclass(frozen=True)
class Records:
    """The pid files and log files of the services of one data folder."""

    home: Path

    def log(self, name: str) -> Path:
        return self.home / "log" / f"{name}.log"

    def find(self, name: str) -> Running | None:
        """The process that an earlier supervisor, or this one, started; None when it is gone."""
        try:
            pid, started = (self.home / "run" / f"{name}.pid").read_text().split()
        except (OSError, ValueError):
            return None
        running = Running(int(pid), started)
        return running if running.alive else None

    def start(self, service: Service) -> tuple[Running, subprocess.Popen[bytes]]:
        log = self.log(service.name)
        if log.exists() and log.stat().st_size > MOST_LOG:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            child = subprocess.Popen(
                service.argv,
                env=dict(service.env),
                cwd=service.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = Running(child.pid, _start_time(child.pid))
        self.record(service.name, running)
        return running, child

    def record(self, name: str, running: Running) -> None:
        path = self.home / "run" / f"{name}.pid"
        draft = path.with_suffix(".pid.new")
        draft.write_text(f"{running.pid} {running.started}\n")
        draft.replace(path)

    def forget(self, name: str) -> None:
        (self.home / "run" / f"{name}.pid").unlink(missing_ok=True)

    def last_lines(self, name: str, count: int = 8) -> list[str]:
        """The end of its log: the evidence when it does not come up."""
        try:
            with self.log(name).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
                return file.read().decode("utf-8", "replace").rstrip("\n").split("\n")[-count:]
        except OSError:
            return []


def this_process() -> Running:
    return Running(os.getpid(), _start_time(os.getpid()))


def _start_time(pid: int) -> str:
    """Field 22 of /proc/PID/stat (proc(5)): clock ticks after boot; "" for no such process, or one that is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def stop_all(found: Mapping[str, tuple[Service, Running]]) -> list[str]:
    """Stops all at once, waits for each as long as its grace, kills what is left. The names that had to be killed."""
    watched = {name: os.pidfd_open(running.pid) for name, (_, running) in found.items() if running.alive}
    killed = []
    for name in watched:
        service, running = found[name]
        running.signal(service.stop)
    for name, descriptor in watched.items():
        service, running = found[name]
        if not wait_for_end(descriptor, service.grace):
            running.signal(signal.SIGKILL)
            killed.append(name)
            wait_for_end(descriptor, 5.0)
        os.close(descriptor)
    return killed


def wait_for_end(descriptor: int, seconds: float) -> bool:
    """True when the process behind this pidfd has ended within `seconds`. A pidfd becomes readable at the end."""
    return bool(select.select([descriptor], [], [], seconds)[0])
