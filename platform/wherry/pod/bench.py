"""What both programs work with, made of what the pod is told."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from wherry.builds.pod_cache import PodCache
from wherry.builds.pod_input import BUNDLE, PodInput
from wherry.builds.pod_yard import PodYard, cache_home
from wherry.flow.pod_ports import GROUND, INPUTS
from wherry.images.registry import Registry
from wherry.settings import Settings, root_folder

HOME = Path(GROUND, "home")
SOURCE = Path(GROUND, "source.tar")
CHANNEL = Path(GROUND, "channel")


@dataclass(frozen=True, slots=True)
class Bench:
    told: PodInput
    settings: Settings
    registry: Registry
    yard: PodYard
    cache: PodCache
    bundle: Path | None

    @property
    def owner(self) -> tuple[int, int]:
        """The one user of the pod."""
        return self.told.base.uid, self.told.base.gid

    @classmethod
    def of(cls, told: PodInput) -> Bench:
        """The operator's variables become this process's own, which is where builds take them from."""
        os.environ.update(told.operator)
        bundle = _bundle()
        if bundle:
            os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"] = str(bundle)
        settings = Settings.load({**told.settings, "WHERRY_HOME": str(HOME)})
        registry = Registry(*told.registry)
        app = told.request.app_id
        return cls(
            told,
            settings,
            registry,
            PodYard(settings, root_folder() / "buildpacks"),
            PodCache(registry, app, cache_home(HOME, app), Path(GROUND)),
            bundle,
        )


def _bundle() -> Path | None:
    """The certificates that the operator's builds trust."""
    path = Path(INPUTS, BUNDLE)
    return path if path.exists() else None
