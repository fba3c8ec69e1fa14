"""The sandbox of a build in a pod: the container beside ours runs the agent, and ours drives it. An adapter of the
Sandbox port.

Both see folders of one volume of the pod, the channel's among them, and no process of the other. Who made the pod put
the caps on it; here we keep to the time and to the length of the log, and hear of its end.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event, Thread

from wherry.domain.errors import PlatformFault
from wherry.flow.ports import Cancel, SandboxSession, SandboxSpec
from wherry.runtimes.agent.channel import Channel
from wherry.runtimes.agent.session import OnLine, Session, Wake, out_of_memory

_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
"""As a container sees its own cgroup: version 2's, version 1's."""


class Gone(PlatformFault):
    """The container beside ours ended by itself; why, only the cluster knows."""


class SiblingSandbox:
    """`folder`: the channel's, laid before either container started. For one build, in one pod."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self, spec: SandboxSpec) -> None:
        """Its container is there already."""

    def run(self, spec: SandboxSpec, steps: Callable[[SandboxSession], None], cancel: Cancel) -> None:
        """The agent ends with our side of the channel, once its program has, and its container with the agent. A program
        that goes on is ended by who made the pod.
        """
        channel, wake, gone = Channel(self._folder), Wake(), Event()
        stopped, stop = os.pipe2(os.O_CLOEXEC)
        watcher = Thread(target=_watch, args=(channel.alive, stopped, gone, wake), name="agent", daemon=True)
        watcher.start()
        try:
            session = Session(spec, channel, wake, lambda: cancel.cancelled, lambda: _death(gone))
            cancel.on_cancel(wake.ring)
            session.await_agent()
            steps(_Counting(spec, session))
        finally:
            os.close(stop)
            watcher.join()
            os.close(stopped)
            channel.close()
            wake.close()

    def sweep(self, build_id: int) -> None:
        """A pod has one build."""


def _watch(alive: int, stopped: int, gone: Event, wake: Wake) -> None:
    """Until the agent's end hangs up, or `stopped` does."""
    poller = select.poll()
    poller.register(alive, 0)
    poller.register(stopped, 0)
    if any(descriptor == alive for descriptor, _ in poller.poll()):
        gone.set()
        wake.ring()


def _death(gone: Event) -> Exception | None:
    return Gone("the build's container ended by itself") if gone.is_set() else None


class _Counting:
    """A session that knows by itself whether the kernel stopped a program for memory: the count is asked for in the
    container, after each program.
    """

    def __init__(self, spec: SandboxSpec, session: Session) -> None:
        self._spec = spec
        self._session = session
        self._kills = self._counted()

    def execute(self, argv: Sequence[str], env: Mapping[str, str], cwd: str, on_line: OnLine) -> int:
        code = self._session.execute(argv, env, cwd, on_line)
        before, self._kills = self._kills, self._counted()
        if code != 0 and self._kills > before:
            raise out_of_memory(self._spec, f"the kernel stopped a program of it; exit code {code}")
        return code

    def _counted(self) -> int:
        lines: list[bytes] = []
        self._session.execute(["/bin/cat", *_COUNTERS], {}, "/", lines.append)
        pairs = [line.split() for line in lines]
        return sum(int(pair[1]) for pair in pairs if len(pair) == 2 and pair[0] == b"oom_kill" and pair[1].isdigit())
