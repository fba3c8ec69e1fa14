"""One capped container of a build, as a plain user, without credentials: an adapter of the Sandbox port."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Lock

from wherry.domain.errors import PlatformFault
from wherry.flow.ports import Cancel, SandboxSession, SandboxSpec
from wherry.runtimes.machine import naming, network
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.network import Networks
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.sandbox_container import Container

_SPARE = 0
"""The build of a container that waits for one."""


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
        self._lock = Lock()
        self._spare: Container | None = None

    def prepare(self, spec: SandboxSpec) -> None:
        self._remove({"label": [f"{naming.PLATFORM}={self._platform}", naming.BUILD], "status": ["exited", "dead"]})
        with self._lock:
            if self._spare and self._spare.spec == _spare(spec) and not self._spare.death():
                return
            spare, self._spare = self._spare, None
        if spare:
            spare.end()
        self._remove_folders(_SPARE)
        started = self._started(_spare(spec))
        with self._lock:
            self._spare = started

    def run(self, spec: SandboxSpec, steps: Callable[[SandboxSession], None], cancel: Cancel) -> None:
        try:
            container = self._prepared(spec) or self._started(spec)
            try:
                steps(container.session(spec, cancel))
            finally:
                container.end()
        except PlatformFault:
            self._networks.forget()  # it may be what is missing: look again next time
            raise

    def sweep(self, build_id: int) -> None:
        self._remove({"name": f"^/?{naming.sandbox(self._platform, build_id, '')}"})
        self._remove_folders(build_id)

    def _prepared(self, spec: SandboxSpec) -> Container | None:
        """The spare one, when it was made for such a build and lives; from now on it is this build's."""
        with self._lock:
            if self._spare is None or self._spare.spec != _spare(spec):
                return None
            container, self._spare = self._spare, None
        try:
            if container.death() is None:
                container.rename(self._name(spec.build_id))
                return container
        except PlatformFault:
            pass  # started anew, and what is wrong with the engine is said there
        container.end()
        return None

    def _started(self, spec: SandboxSpec) -> Container:
        self._networks.ensure(network.BUILD)
        self._scratch.mkdir(parents=True, exist_ok=True)
        container = Container(self._engine, self._platform, self._name(spec.build_id), spec, self._scratch)
        try:
            container.start(self._registry)
        except BaseException:
            container.end()
            raise
        return container

    def _remove(self, which: dict[str, object]) -> None:
        with self._engine.doing("remove what earlier builds left"):
            for left in self._engine.api.containers(all=True, filters=which):
                self._engine.remove(left["Id"])

    def _remove_folders(self, build_id: int) -> None:
        for folder in self._scratch.glob(f"{naming.sandbox(self._platform, build_id, '')}*"):
            shutil.rmtree(folder)

    def _name(self, build_id: int) -> str:
        return naming.sandbox(self._platform, build_id, secrets.token_hex(4))


def _spare(spec: SandboxSpec) -> SandboxSpec:
    return replace(spec, build_id=_SPARE)
