"""A build by a builder image of others (Heroku's, Paketo's …): its own lifecycle, phase by phase.

Its image comes out as files (platform.md "OCI Image Layout"), and we push it: so no phase needs a login.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wherry.builds import operator_env, origin
from wherry.builds.builder_ground import CACHE, LAYOUT, MADE, RUN, BuilderGround
from wherry.builds.builder_reading import BuilderImage, find, read_builder
from wherry.builds.disk import remove
from wherry.builds.env import base_environment
from wherry.builds.ground import HOME, Ground
from wherry.builds.image_layout import publish, write_layout
from wherry.builds.output import Output
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput, NotFound, PlatformFault
from wherry.domain.image import Image
from wherry.domain.text import printable
from wherry.flow.ports import BuildRequest, Cancel, Sandbox, SandboxSession, SandboxSpec, Say
from wherry.flow.talk import detail, step
from wherry.images.registry import Registry
from wherry.settings import Settings

_LIFECYCLE = "/cnb/lifecycle"
_NOTHING_DETECTED = {20, 21}


@dataclass(frozen=True)
class KnownBuilders:
    """What the builders that the operator allows (`settings.builders`) say of themselves, read once."""

    registry: Registry
    _known: dict[str, BuilderImage] = field(default_factory=dict)

    def of(self, reference: str, say: Say) -> BuilderImage:
        """Raises PlatformFault."""
        if reference not in self._known:
            detail(say, f"Reading the builder {printable(reference)}")
            try:
                self._known[reference] = read_builder(reference, self.registry)
            except (NotFound, InvalidInput) as error:  # of the operator's settings: nothing that a pusher could mend
                raise PlatformFault(f"the builder {reference} cannot be used: {error.message}") from error
        return self._known[reference]


@dataclass(frozen=True)
class BuilderRun:
    """One build in folders that are laid already."""

    sandbox: Sandbox
    registry: Registry
    settings: Settings

    def build(
        self,
        builder: BuilderImage,
        env: Mapping[str, str],
        request: BuildRequest,
        place: BuilderGround,
        say: Say,
        cancel: Cancel,
    ) -> Image:
        """`env` counts less than the app's config. Raises BuildFailed, Cancelled, PlatformFault, OSError."""
        place.bring(request, env)
        spec = SandboxSpec(
            request.build_id,
            builder.reference,
            place.ground.user,
            place.mounts(),
            memory=self.settings.number("build_memory_mb"),
            seconds=float(self.settings.number("build_seconds")),
        )
        self.sandbox.run(spec, lambda session: _phases(session, builder, say), cancel)
        step(say, "Exporting the image")
        notes = origin.of_source(request) | origin.of_base(builder.run_image, builder.run_digest)
        image = publish(place.made, place.base, self.registry, f"apps/{request.app_id}", notes)
        detail(say, f"Image {image.digest[:19]}")
        return image


class BuilderImages:
    """Builds by those that the operator allows, on this machine. `caches`: a folder."""

    def __init__(self, sandbox: Sandbox, registry: Registry, settings: Settings, caches: Path) -> None:
        self._registry = registry
        self._settings = settings
        self._caches = caches
        self._builders = KnownBuilders(registry)
        self._run = BuilderRun(sandbox, registry, settings)

    def build(self, reference: str, env: Mapping[str, str], request: BuildRequest, say: Say, cancel: Cancel) -> Image:
        """`reference`: one of the allowed, by digest. `env` counts less than the app's config. Raises BuildFailed,
        Cancelled, PlatformFault.
        """
        builder = self._builders.of(reference, say)
        with self._place(builder, request.app_id, say) as place:
            return self._run.build(builder, env, request, place, say, cancel)

    @contextmanager
    def _place(self, builder: BuilderImage, app_id: int, say: Say) -> Iterator[BuilderGround]:
        """Builds of one app come one after another, so its cache may stay where it is."""
        owner = (builder.uid, builder.gid) if os.geteuid() == 0 else None
        ground = Ground(self._settings.folder / "builds" / f"yard-{secrets.token_hex(4)}", owner)
        cache = self._caches / str(app_id) / "builder-image"
        try:
            place = BuilderGround(ground, self._run_layout(builder, say), cache)
            place.lay(operator_env.bundle_of_host(os.environ))
            yield place
        except OSError as error:
            raise PlatformFault(f"the build's folder cannot be used: {printable(str(error), 300)}") from error
        finally:
            remove(ground.work)

    def _run_layout(self, builder: BuilderImage, say: Say) -> Path:
        """The builder's run image as files, kept from one build to the next."""
        folder = self._settings.folder / "builders" / builder.run_digest.replace(":", "-")
        if not folder.exists():
            draft = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
            fetch_run_image(builder, self._registry, draft, say)
            try:
                draft.rename(folder)
            except OSError:  # another build was faster
                shutil.rmtree(draft)
        return folder


def fetch_run_image(builder: BuilderImage, ours: Registry, folder: Path, say: Say) -> None:
    """Into `folder`, which is new, as BuilderGround.run has it. Raises NotFound, PlatformFault, OSError."""
    detail(say, f"Fetching the run image {printable(builder.run_image)}")
    with find(builder.run_image, ours) as (registry, name, _):
        write_layout(registry, name, builder.run_digest, folder / "latest")


def _phases(session: SandboxSession, builder: BuilderImage, say: Say) -> None:
    detail(say, f"Builder {printable(builder.name)}, Platform API {builder.platform_api}")
    env = {
        **base_environment(builder.env, operator_env.proxies(os.environ) | {"HOME": HOME}),
        **{name: value for name, value in builder.env.items() if name.startswith("CNB_")},
        "CNB_PLATFORM_API": builder.platform_api,
        "CNB_EXPERIMENTAL_MODE": "silent",
        "CNB_USE_LAYOUT": "true",
        "CNB_LAYOUT_DIR": LAYOUT,
        "CNB_NO_COLOR": "true",
    }
    phases: Mapping[str, Sequence[str]] = {
        "analyzer": ["-run-image", RUN, MADE],
        "detector": [],
        "restorer": ["-cache-dir", CACHE],
        "builder": [],
        "exporter": ["-cache-dir", CACHE, MADE],
    }
    for phase, arguments in phases.items():
        output = Output(lambda line: say(line if line.startswith((" ", "-----> ")) else f"       {line}"))
        try:
            code = session.execute([f"{_LIFECYCLE}/{phase}", *arguments], env, "/", output.line)
            if code:
                raise _failure(phase, code, output)
        finally:
            output.flush()


def _failure(phase: str, code: int, output: Output) -> BuildFailed:
    if code in _NOTHING_DETECTED:
        message = "no buildpack of the builder knows how to build this app"
        return BuildFailed(BuildFailure.NOTHING_DETECTED, message, evidence=list(output.tail)[-10:])
    return output.failure(f"builder's {phase}", code)
