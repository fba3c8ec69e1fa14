"""The one yard of a build's pod: laid by its first container, at a place that the others have mounted since before they
began.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wherry.builds.builder_ground import BuilderGround
from wherry.builds.catalogue import Catalogue
from wherry.builds.ground import Ground
from wherry.builds.stacks import Stack
from wherry.builds.yard import Yard
from wherry.flow.ports import SandboxSpec
from wherry.settings import Settings

FOLDER = "builds/yard"
"""Below the home folder of the pod."""
_RUN = "builders/run"


def cache_home(home: Path, app_id: int) -> Path:
    """Where the app's cache is, as on a machine."""
    return home / "caches" / str(app_id)


def stack_ground(home: Path) -> Ground:
    """Where our own buildpacks build."""
    return Ground(home / FOLDER, None)


def builder_ground(home: Path, app_id: int) -> BuilderGround:
    """Where a builder image of others builds; its lifecycle's cache is kept as a layer would be."""
    cache = cache_home(home, app_id) / "good/builder/cache"
    return BuilderGround(stack_ground(home), home / _RUN, cache)


@dataclass(frozen=True, slots=True)
class PodYard:
    """`buildpacks`: a folder with order.toml. All containers of the pod run as one user, the build's."""

    settings: Settings
    buildpacks: Path

    @property
    def ground(self) -> Ground:
        return stack_ground(self.settings.folder)

    def lay(self, bundle: Path | None) -> None:
        """Raises PlatformFault, OSError."""
        self.ground.work.parent.mkdir(parents=True, exist_ok=True)
        self.ground.lay(Catalogue.load(self.buildpacks).buildpacks.values(), bundle)

    def take(self, stack: Stack) -> Yard:
        ground = self.ground
        spec = SandboxSpec(
            0,
            stack.build_ref,
            ground.user,
            ground.mounts(),
            memory=self.settings.number("build_memory_mb"),
            seconds=float(self.settings.number("build_seconds")),
        )
        return Yard(ground, Catalogue.load(self.buildpacks), ground.has_bundle, (), spec)

    def prepare(self, stack: Stack) -> None:
        """Nothing is done ahead: a pod has one build."""
