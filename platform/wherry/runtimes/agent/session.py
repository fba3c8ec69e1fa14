"""One sandbox while it runs: executes programs, passes their lines on, and keeps to time, log size and memory."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled, PlatformFault
from wherry.flow.ports import SandboxSpec
from wherry.runtimes.agent.channel import Channel, read_all

LONGEST_LINE = 64 * 1024
_START_SECONDS = 60.0

OnLine = Callable[[bytes], None]


class Wake:
    """Ends a poll(2) from another thread, once and for ever; safe to use after `close`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._closed = False
        self.fd, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def ring(self) -> None:
        with self._lock:
            if not self._closed:
                os.write(self._writer, b"!")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            os.close(self.fd)
            os.close(self._writer)


class Session:
    """`death`: None while the container runs, else the error to raise."""

    def __init__(
        self,
        spec: SandboxSpec,
        channel: Channel,
        wake: Wake,
        cancelled: Callable[[], bool],
        death: Callable[[], Exception | None],
    ) -> None:
        self._spec = spec
        self._channel = channel
        self._wake = wake
        self._cancelled = cancelled
        self._death = death
        self._deadline = time.monotonic() + spec.seconds
        self._bytes = 0
        self._kills: Callable[[], int] = lambda: 0

    def await_agent(self) -> None:
        """Returns when the agent answers. Raises what `execute` raises."""
        limit = min(self._deadline, time.monotonic() + _START_SECONDS)
        while ("ready", 0) not in self._channel.received():
            if not self._poll(limit):
                raise PlatformFault(f"the build's container did not answer within {_START_SECONDS:.0f} s of its start")
        self._channel.agent_is_ready()

    def measure(self, kills: Callable[[], int]) -> None:
        """`kills`: how many processes of the container the kernel has stopped for memory so far."""
        self._kills = kills

    def execute(self, argv: Sequence[str], env: Mapping[str, str], cwd: str, on_line: OnLine) -> int:
        kills_before = self._kills()
        try:
            name = self._channel.send(argv, env, cwd)
        except BrokenPipeError as error:
            raise self._death() or PlatformFault("the build's container is gone") from error
        try:
            code = self._follow(name, on_line)
        finally:
            self._channel.finished(name)
        # A program that failed while the kernel stopped one of its processes for memory failed for memory.
        if code != 0 and self._kills() > kills_before:
            raise out_of_memory(self._spec, f"the kernel stopped a program of it; exit code {code}")
        return code

    def _follow(self, name: str, on_line: OnLine) -> int:
        rest = b""
        while True:
            if not self._poll(self._deadline):
                raise BuildFailed(
                    BuildFailure.OUT_OF_TIME, f"the build ran longer than its {self._spec.seconds:.0f} seconds"
                )
            codes = [code for each, code in self._channel.received() if each == name]
            # Read after the result: what the program wrote before its end is in the pipe by now.
            rest = self._pass_on(rest + self._read(), on_line)
            if codes:
                while more := self._read():
                    rest = self._pass_on(rest + more, on_line)
                if rest:
                    on_line(rest)
                return codes[-1]

    def _poll(self, deadline: float) -> bool:
        """Waits for output, a result, a cancel or the container's end; False when the deadline passed."""
        if self._cancelled():
            raise Cancelled("the build was cancelled")
        if death := self._death():
            raise death
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        poller = select.poll()
        for descriptor in (self._channel.output, self._channel.results, self._wake.fd):
            poller.register(descriptor, select.POLLIN)
        poller.poll(left * 1000)
        return True

    def _read(self) -> bytes:
        data = read_all(self._channel.output)
        self._bytes += len(data)
        if self._bytes > self._spec.log_bytes:
            raise BuildFailed(
                BuildFailure.LOG_TOO_LONG, f"the build wrote more than {self._spec.log_bytes} bytes of output"
            )
        return data

    @staticmethod
    def _pass_on(data: bytes, on_line: OnLine) -> bytes:
        """Gives whole lines away, and a line that will not end in pieces; the rest comes back."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            on_line(line)
        while len(rest) > LONGEST_LINE:
            on_line(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        return rest


def out_of_memory(spec: SandboxSpec, evidence: str) -> BuildFailed:
    return BuildFailed(
        BuildFailure.OUT_OF_MEMORY, f"the build needs more than its {spec.memory} MiB of memory", evidence=[evidence]
    )
