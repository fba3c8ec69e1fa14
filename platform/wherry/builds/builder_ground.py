"""A build's folders where a builder image of others builds, and where its phases see them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wherry.builds import operator_env, operator_files
from wherry.builds.ground import BUNDLE, Ground
from wherry.builds.unpack import unpack
from wherry.flow.ports import BuildRequest

RUN, MADE = "wherry.invalid/run", "wherry.invalid/app"
"""Images as the lifecycle names them."""
CACHE, LAYOUT = "/cache", "/layout"
_OPERATOR = "/cnb/build-config"


@dataclass(frozen=True, slots=True)
class BuilderGround:
    """`run`: the builder's run image as files; `cache`: the lifecycle's own, for this app."""

    ground: Ground
    run: Path
    cache: Path

    @property
    def made(self) -> Path:
        """Where the image comes out, as files."""
        return self._layout / MADE / "latest"

    @property
    def base(self) -> Path:
        return self.run / "latest"

    def lay(self, bundle: Path | None) -> None:
        """Makes everything that is the same for all apps, but the run image. Raises OSError."""
        ground = self.ground
        ground.work.parent.mkdir(parents=True, exist_ok=True)
        ground.lay((), bundle)
        ground.give(ground.layers)
        self._write_operator()
        for path in (self._layout, self._layout / RUN):
            path.mkdir(parents=True)
            ground.give(path)
        ground.give(self._layout / RUN.partition("/")[0])
        self.cache.mkdir(parents=True, exist_ok=True)
        ground.give(self.cache)

    def bring(self, request: BuildRequest, env: Mapping[str, str]) -> None:
        """The source and the config; `env` counts less. Raises BuildFailed, OSError."""
        self.ground.write_config({**env, **{name: value.reveal() for name, value in request.config.items()}})
        unpack(Path(request.source.archive), self.ground.app, self.ground.owner)

    def mounts(self) -> dict[str, tuple[Path, bool]]:
        """Path in the container to (folder here, read-only)."""
        return self.places(self.ground.has_bundle)

    def places(self, has_bundle: bool) -> dict[str, tuple[Path, bool]]:
        """As `mounts`, of folders that need not be there yet."""
        own = {
            _OPERATOR: (self.ground.work / "operator", True),
            CACHE: (self.cache, False),
            LAYOUT: (self._layout, False),
            f"{LAYOUT}/{RUN}": (self.run, True),
        }
        return self.ground.usual_places(has_bundle) | own

    @property
    def _layout(self) -> Path:
        return self.ground.work / "layout"

    def _write_operator(self) -> None:
        """A file a variable (platform.md "Operator-Defined Variables"); without a suffix it is a default."""
        folder = self.ground.work / "operator/env"
        folder.mkdir(parents=True)
        bundle = BUNDLE if self.ground.has_bundle else ""
        files = operator_env.pip_files(os.environ), operator_env.npm_files(os.environ)
        environ = operator_files.with_files(os.environ)
        for change in operator_env.operator_changes(environ, files[0], bundle, files[1]):
            (folder / change.name).write_text(change.value)
            (folder / change.name).chmod(0o644)
