"""Where a build happens: its ground and its container, laid ahead of the push that will want them.

Starting a container takes longer than all else of a small build. So one yard waits, empty and the same for all apps; a
build takes it and fills it, and the next is laid when nothing else is to be done.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from wherry.builds import operator_env
from wherry.builds.catalogue import Catalogue
from wherry.builds.disk import remove
from wherry.builds.ground import Ground
from wherry.builds.stacks import Stack
from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable
from wherry.flow.ports import Sandbox, SandboxSpec
from wherry.settings import Settings

_PREFIX = "yard-"


@dataclass(frozen=True, slots=True)
class Yard:
    """`made_of`: what it depends on; a yard made of something else is of no use."""

    ground: Ground
    catalogue: Catalogue
    has_bundle: bool
    made_of: tuple[object, ...]
    empty: SandboxSpec

    def spec(self, build_id: int) -> SandboxSpec:
        return replace(self.empty, build_id=build_id)


class Yards:
    """`buildpacks`: a folder with order.toml. Yards lie in the home folder beside the caches, so that a layer moves from
    one to the other by a rename.
    """

    def __init__(self, sandbox: Sandbox, settings: Settings, buildpacks: Path) -> None:
        self._sandbox = sandbox
        self._settings = settings
        self._buildpacks = buildpacks
        self._work = settings.folder / "builds"
        self._lock = Lock()
        self._ready: Yard | None = None
        self._swept = False

    def take(self, stack: Stack) -> Yard:
        """The one that waits, or a new one; its folder is the caller's to remove. Raises PlatformFault."""
        with self._lock:
            self._sweep()
            ready, self._ready = self._ready, None
        if ready and ready.made_of == self._made_of(stack):
            return ready
        if ready:
            remove(ready.ground.work)
        return self._lay(stack)

    def prepare(self, stack: Stack) -> None:
        """One waits afterwards; whoever takes it meanwhile waits for that. Raises PlatformFault."""
        with self._lock:
            self._sweep()
            if self._ready and self._ready.made_of != self._made_of(stack):
                remove(self._ready.ground.work)
                self._ready = None
            yard = self._ready or self._lay(stack)
            self._sandbox.prepare(yard.spec(0))
            self._ready = yard

    def _sweep(self) -> None:
        """Yards of an earlier life, before the first of this one."""
        if not self._swept:
            for folder in self._work.glob(f"{_PREFIX}*"):
                remove(folder)
        self._swept = True

    def _lay(self, stack: Stack) -> Yard:
        made_of = self._made_of(stack)
        catalogue = Catalogue.load(self._buildpacks)
        bundle = operator_env.bundle_of_host(os.environ)
        owner = (stack.uid, stack.gid) if os.geteuid() == 0 else None
        ground = Ground(self._work / f"{_PREFIX}{secrets.token_hex(4)}", owner)
        try:
            self._work.mkdir(parents=True, exist_ok=True)
            ground.lay(catalogue.buildpacks.values(), bundle)
        except OSError as error:
            raise PlatformFault(f"the build's folder cannot be used: {printable(str(error), 300)}") from error
        empty = SandboxSpec(
            0,
            stack.build_ref,
            ground.user,
            ground.mounts(),
            memory=self._settings.number("build_memory_mb"),
            seconds=float(self._settings.number("build_seconds")),
        )
        return Yard(ground, catalogue, bundle is not None, made_of, empty)

    def _made_of(self, stack: Stack) -> tuple[object, ...]:
        bundle = operator_env.bundle_of_host(os.environ)
        files = [*self._buildpacks.rglob("*"), *([bundle] if bundle else [])]
        return (stack.build_ref, stack.uid, stack.gid, bundle, max(path.stat().st_mtime_ns for path in files))
