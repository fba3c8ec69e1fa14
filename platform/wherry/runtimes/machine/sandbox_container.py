"""A started container of a build: its way to speak with us, what it died of, and its end."""

from __future__ import annotations

import os
import select
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from wherry.domain.errors import BuildFailed, BuildFailure, PlatformFault
from wherry.domain.text import log_line
from wherry.flow.ports import Cancel, SandboxSpec
from wherry.runtimes.agent.channel import AGENT, FOLDER, Channel, lay
from wherry.runtimes.agent.session import Session, Wake, out_of_memory
from wherry.runtimes.machine import naming, network
from wherry.runtimes.machine.engine import CLIENT_ERRORS, HINT, Engine
from wherry.runtimes.machine.memory import oom_kills
from wherry.runtimes.machine.pull import Registry, with_image

_MIB = 1024 * 1024
_DEATH_SECONDS = 10.0
_CPU_SHARES, _IO_WEIGHT = 102, 50


class Container:
    """`start` it first, `end` it always. Nothing in it outlives us: its agent ends when our side of the channel does."""

    def __init__(self, engine: Engine, platform: str, name: str, spec: SandboxSpec, scratch: Path) -> None:
        self.name = name
        self.spec = spec
        self._engine = engine
        self._platform = platform
        self._folder = scratch / name
        self._folder.mkdir(0o700)
        lay(self._folder)
        self._channel = Channel(self._folder)
        self._wake = Wake()
        self._ended = Event()
        self._pid = 0
        self._process = -1

    def start(self, registry: Registry) -> None:
        """Raises PlatformFault."""
        config = container(self._platform, self.spec, self._channel.inside)
        with self._engine.doing("start the build's container"):
            api = self._engine.api
            with_image(self._engine, registry, self.spec.image, lambda: self._engine.create(self.name, config))
            api.start(self.name)
            self._pid = int(api.inspect_container(self.name)["State"]["Pid"])
        with suppress(OSError):  # gone already, or on another machine
            self._process = os.pidfd_open(self._pid)
        Thread(target=self._wait, args=(self.name,), name=f"wait {self.name}", daemon=True).start()

    def rename(self, name: str) -> None:
        """What is mounted stays so wherever its folder goes. Raises PlatformFault."""
        with self._engine.doing("name the build's container"):
            self._engine.api.rename(self.name, name)
        self.name = name
        self._folder = self._folder.rename(self._folder.with_name(name))
        self._channel.moved(self._folder)

    def session(self, spec: SandboxSpec, cancel: Cancel) -> Session:
        """`spec`: of the build that uses it; its time begins now. Raises what `Session.execute` raises."""
        self.spec = spec
        session = Session(spec, self._channel, self._wake, lambda: cancel.cancelled, self.death)
        cancel.on_cancel(self._wake.ring)
        session.await_agent()
        session.measure(lambda: oom_kills(self._pid))
        return session

    def death(self) -> Exception | None:
        """Why it has ended by itself; None while it runs."""
        return self._reason() if self._ended.is_set() else None

    def end(self) -> None:
        """When it returns no program of the build runs. What takes the engine longer, to clear up after a dead one, can
        wait for `MachineSandbox.prepare`. Raises PlatformFault.
        """
        try:
            if not self._dies():
                with self._engine.doing("remove the build's container"):
                    self._engine.remove(self.name)
        finally:
            if self._process >= 0:
                os.close(self._process)
            self._channel.close()
            self._wake.close()
            shutil.rmtree(self._folder)

    def _dies(self) -> bool:
        """The first process takes all others of its namespace along before it counts as ended (pid_namespaces(7))."""
        if self._process < 0:
            return False
        try:
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        poller = select.poll()
        poller.register(self._process, select.POLLIN)
        return bool(poller.poll(_DEATH_SECONDS * 1000))

    def _wait(self, name: str) -> None:
        try:
            self._engine.api.wait(name)
        except CLIENT_ERRORS:
            pass  # the engine is gone or the container removed: `death` asks again and says which
        finally:
            self._ended.set()
            self._wake.ring()

    def _reason(self) -> Exception:
        try:
            with self._engine.doing("inspect the build's container"):
                state: dict[str, Any] = self._engine.api.inspect_container(self.name)["State"]
                lines = self._engine.api.logs(self.name, tail=5).split(b"\n")
        except PlatformFault as fault:
            return fault
        if state.get("OOMKilled"):
            return out_of_memory(self.spec, "the kernel stopped the build's container")
        evidence = [log_line(line) for line in lines if line]
        if any("fork" in line for line in evidence):  # the agent's last word when the cap on processes is used up
            message = f"the build has more than its {self.spec.pids} processes"
            return BuildFailed(BuildFailure.BUILDPACK_FAILED, message, evidence=evidence)
        message = f"the build's container ended by itself with exit code {state.get('ExitCode')}"
        return PlatformFault(message, evidence=evidence, hint=HINT)


def container(platform: str, spec: SandboxSpec, channel: Path) -> dict[str, Any]:
    """The container as the Engine API takes it (POST /containers/create)."""
    mounts = {FOLDER: (channel, True), **spec.mounts}
    return {
        "Image": spec.image,
        "Entrypoint": ["/bin/sh", "-c", AGENT],
        "Cmd": [],
        "User": spec.user,
        "WorkingDir": "/",
        "Labels": {naming.PLATFORM: platform, naming.BUILD: str(spec.build_id)},
        "HostConfig": {
            "Mounts": [
                {"Type": "bind", "Source": str(folder), "Target": target, "ReadOnly": read_only}
                for target, (folder, read_only) in mounts.items()
            ],
            # Builds run programs from /tmp (configure scripts, wheels), which Docker's own default forbids.
            "Tmpfs": {"/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={spec.memory * _MIB}"},  # noqa: S108
            "NetworkMode": naming.network(platform, network.BUILD),
            "Memory": spec.memory * _MIB,
            "MemorySwap": spec.memory * _MIB,
            # A quota, not NanoCpus: the engine refuses those when the machine has fewer cores.
            "CpuPeriod": 100_000,
            "CpuQuota": spec.cpu * 100,
            # Apps (1024, 500 by default of the kernel's block scheduler) go first whenever they want to.
            "CpuShares": _CPU_SHARES,
            "BlkioWeight": _IO_WEIGHT,
            "PidsLimit": spec.pids,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "RestartPolicy": {"Name": "no"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
        },
    }
