"""The supervisor's loop: start in order, watch by pidfd, restart with growing pauses, stop in reverse."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from wherry.domain.errors import PlatformFault
from wherry.supervisor.service import Records, Running, Service, stop_all

STEADY = 30.0
LONGEST_PAUSE = 15.0
READY_WITHIN = 180.0  # a small board that is busy with something else takes minutes
TOLD_EVERY = 10.0


@dataclass
class Watched:
    service: Service
    running: Running
    child: subprocess.Popen[bytes] | None
    descriptor: int
    since: float
    restarts: int = 0
    failures: int = 0


@dataclass
class Supervisor:
    """Owns the processes while it lives; adopts those that an earlier one left running."""

    records: Records
    endpoints: Mapping[str, str]
    say: Callable[[str], None]
    _watched: dict[str, Watched] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    @property
    def names(self) -> list[str]:
        return list(self._watched)

    def bring_up(self, *services: Service) -> None:
        """Starts or adopts them, all at once, and returns when each answers. Raises PlatformFault with the end of the
        log of one that does not.
        """
        for service in services:
            running = self.records.find(service.name)
            if running is not None:
                self._watch(service, running, None)
                self.say(f"{service.name}: already runs (pid {running.pid})")
            else:
                self._start(service)
        for service in services:
            self._wait_until_ready(service, {each.name for each in services})

    def run(self, wake: int) -> None:
        """Until `wake` (a file descriptor that a signal handler writes to) becomes readable."""
        self._selector.register(wake, selectors.EVENT_READ, None)
        while True:
            self.write_status("up")
            for key, _ in self._selector.select(self._next_due()):
                if key.data is None:
                    self.write_status("stopping")
                    return
                self._ended(key.data)
            self._restart_due()

    def stop(self, names: list[str]) -> None:
        """The named services, the last started first, all within their graces."""
        found = {
            name: (self._watched[name].service, self._watched[name].running) for name in names if name in self._watched
        }
        for name in stop_all(found):
            self.say(f"{name}: did not stop in time and was killed")
        for name in found:
            self._unwatch(name)
            del self._watched[name]
            self._due.pop(name, None)
            self.records.forget(name)

    def write_status(self, state: str) -> None:
        processes = [
            {"name": name, "pid": each.running.pid, "restarts": each.restarts, "since": _iso(each.since)}
            for name, each in self._watched.items()
        ]
        path = self.records.home / "run" / "status.json"
        status = {"state": state, "supervisor": os.getpid(), "home": str(self.records.home), **self.endpoints}
        draft = path.with_suffix(".json.new")
        draft.write_text(json.dumps({**status, "processes": processes}, indent=1) + "\n")
        draft.replace(path)

    def _start(self, service: Service) -> Watched:
        running, child = self.records.start(service)
        self.say(f"{service.name}: started (pid {running.pid})")
        return self._watch(service, running, child)

    def _watch(self, service: Service, running: Running, child: subprocess.Popen[bytes] | None) -> Watched:
        before = self._watched.get(service.name)
        watched = Watched(service, running, child, os.pidfd_open(running.pid), time.time())
        if before:
            watched.restarts, watched.failures = before.restarts + 1, before.failures
        self._watched[service.name] = watched
        self._selector.register(watched.descriptor, selectors.EVENT_READ, service.name)
        return watched

    def _unwatch(self, name: str) -> Watched:
        watched = self._watched[name]
        if watched.descriptor >= 0:
            self._selector.unregister(watched.descriptor)
            os.close(watched.descriptor)
            watched.descriptor = -1
        if watched.child:
            watched.child.poll()
        return watched

    def _ended(self, name: str) -> None:
        watched = self._unwatch(name)
        code = watched.child.wait() if watched.child else None
        lived = time.time() - watched.since
        watched.failures = 0 if lived > STEADY else watched.failures + 1
        pause = min(LONGEST_PAUSE, 0.1 * 2 ** (watched.failures - 1)) if watched.failures else 0.0
        self._due[name] = time.monotonic() + pause
        ended = f"with status {code}" if code is not None else "unseen"
        self.say(f"{name}: ended {ended} after {lived:.0f} s; starts again in {pause:.1f} s")

    def _restart_due(self) -> None:
        now = time.monotonic()
        for name in [name for name, due in self._due.items() if due <= now]:
            del self._due[name]
            try:
                self._start(self._watched[name].service)
            except OSError as error:
                self.say(f"{name}: cannot be started: {error}")
                self._due[name] = now + LONGEST_PAUSE

    def _next_due(self) -> float | None:
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None

    def _wait_until_ready(self, service: Service, together: set[str]) -> None:
        """No process announces that it listens, so its port is asked, in pauses that grow to a twentieth of a second;
        its end is an event, and that of one of those that start with it."""
        began, pause, told = time.monotonic(), 0.002, 0.0
        while not service.ready():
            ended = [key.data for key, _ in self._selector.select(pause) if key.data in together]
            pause = min(0.05, pause * 2)
            waited = time.monotonic() - began
            if ended or waited > READY_WITHIN:
                name = ended[0] if ended else service.name
                why = "it ended" if ended else f"it lives, and does not listen after {waited:.0f} s"
                raise PlatformFault(
                    f"{name} did not come up (pid {self._watched[name].running.pid}): {why}",
                    evidence=self.records.last_lines(name),
                    hint="To see what is wrong: wherry doctor",
                )
            if waited - told >= TOLD_EVERY:
                told = waited
                self.say(f"{service.name}: not up yet after {waited:.0f} s")


def wake_on_signals() -> int:
    """A descriptor that becomes readable on SIGTERM, SIGINT and SIGHUP."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reader


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
