"""The one yard of a build's pod: laid by its first container, at a place that the others have mounted since before they
began.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wherry.builds.catalogue import Catalogue
from wherry.builds.ground import Ground
from wherry.builds.stacks import Stack
from wherry.builds.yard import Yard
from wherry.flow.ports import SandboxSpec
from wherry.settings import Settings

FOLDER = "builds/yard"
"""Below the home folder of the pod."""


@dataclass(frozen=True, slots=True)
class PodYard:
    """`buildpacks`: a folder with order.toml. All containers of the pod run as one user, the build's."""

    settings: Settings
    buildpacks: Path

    @property
    def ground(self) -> Ground:
        return Ground(self.settings.folder / FOLDER, None)

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
        has_bundle = (ground.work / "ca-certificates.crt").exists()
        return Yard(ground, Catalogue.load(self.buildpacks), has_bundle, (), spec)

    def prepare(self, stack: Stack) -> None:
        """Nothing is done ahead: a pod has one build."""
