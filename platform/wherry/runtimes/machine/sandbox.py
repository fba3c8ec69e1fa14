"""One capped container of a build, as a plain user, without credentials: an adapter of the Sandbox port."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

from wherry.domain.errors import BuildFailed, BuildFailure, PlatformFault
from wherry.domain.text import log_line
from wherry.flow.ports import Cancel, SandboxSession, SandboxSpec
from wherry.runtimes.machine import naming, network
from wherry.runtimes.machine.engine import CLIENT_ERRORS, HINT, Engine
from wherry.runtimes.machine.network import Networks
from wherry.runtimes.machine.pull import Registry, with_image
from wherry.runtimes.machine.sandbox_channel import AGENT, FOLDER, Channel
from wherry.runtimes.machine.sandbox_session import Session, Wake, out_of_memory

_MIB = 1024 * 1024


class MachineSandbox:
    """`scratch`: a folder of ours that the engine sees under the same path; default the system's temporary folder."""

    def __init__(
        self,
        engine_url: str,
        platform: str,
        registry: Registry,
        subnet: str = "",
        scratch: Path | None = None,
    ) -> None:
        self._engine = Engine(engine_url)
        self._platform = platform
        self._registry = registry
        self._networks = Networks(self._engine, platform, subnet)
        self._scratch = scratch or Path(tempfile.gettempdir())

    def run(self, spec: SandboxSpec, steps: Callable[[SandboxSession], None], cancel: Cancel) -> None:
        try:
            self._run(spec, steps, cancel)
        except PlatformFault:
            self._networks.forget()  # it may be what is missing: look again next time
            raise

    def _run(self, spec: SandboxSpec, steps: Callable[[SandboxSession], None], cancel: Cancel) -> None:
        self._networks.ensure(network.BUILD)
        self._scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{self._prefix(spec.build_id)}-", dir=self._scratch))
        try:
            channel = Channel(folder)
            try:
                self._in_container(spec, channel, steps, cancel)
            finally:
                channel.close()
        finally:
            shutil.rmtree(folder)

    def sweep(self, build_id: int) -> None:
        with self._engine.doing(f"remove what earlier attempts of build {build_id} left"):
            labels = [f"{naming.PLATFORM}={self._platform}", f"{naming.BUILD}={build_id}"]
            for left in self._engine.api.containers(all=True, filters={"label": labels}):
                self._engine.remove(left["Id"])
        for folder in self._scratch.glob(f"{self._prefix(build_id)}-*"):
            shutil.rmtree(folder)

    def _prefix(self, build_id: int) -> str:
        return f"wherry-{self._platform}-{build_id}"

    def _in_container(
        self, spec: SandboxSpec, channel: Channel, steps: Callable[[SandboxSession], None], cancel: Cancel
    ) -> None:
        name = naming.sandbox(self._platform, spec.build_id, secrets.token_hex(4))
        config = container(self._platform, spec, channel.inside)
        wake = Wake()
        watcher: _Watcher | None = None
        try:
            with self._engine.doing("start the build's container"):
                api = self._engine.api
                with_image(self._engine, self._registry, spec.image, lambda: self._engine.create(name, config))
                api.start(name)
                pid = int(api.inspect_container(name)["State"]["Pid"])
            watcher = _Watcher(self._engine, name, spec, wake)
            session = Session(spec, channel, wake, lambda: cancel.cancelled, watcher.death)
            cancel.on_cancel(wake.ring)
            session.await_agent()
            session.measure(pid)
            steps(session)
        finally:
            with self._engine.doing("remove the build's container"):
                self._engine.remove(name)
            if watcher:
                watcher.join()
            wake.close()


class _Watcher:
    """Knows when the container has ended by itself, and why."""

    def __init__(self, engine: Engine, container: str, spec: SandboxSpec, wake: Wake) -> None:
        self._engine = engine
        self._container = container
        self._spec = spec
        self._wake = wake
        self._ended = Event()
        self._thread = Thread(target=self._wait, name=f"wait {container}", daemon=True)
        self._thread.start()

    def death(self) -> Exception | None:
        return self._reason() if self._ended.is_set() else None

    def join(self) -> None:
        self._thread.join()

    def _wait(self) -> None:
        try:
            self._engine.api.wait(self._container)
        except CLIENT_ERRORS:
            pass  # the engine is gone or the container removed: `death` asks again and says which
        finally:
            self._ended.set()
            self._wake.ring()

    def _reason(self) -> Exception:
        try:
            with self._engine.doing("inspect the build's container"):
                state: dict[str, Any] = self._engine.api.inspect_container(self._container)["State"]
                lines = self._engine.api.logs(self._container, tail=5).split(b"\n")
        except PlatformFault as fault:
            return fault
        if state.get("OOMKilled"):
            return out_of_memory(self._spec, "the kernel stopped the build's container")
        evidence = [log_line(line) for line in lines if line]
        if any("fork" in line for line in evidence):  # the agent's last word when the cap on processes is used up
            message = f"the build has more than its {self._spec.pids} processes"
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
            "PidsLimit": spec.pids,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "RestartPolicy": {"Name": "no"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
        },
    }
