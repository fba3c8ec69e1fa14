"""A build by a builder image of others (Heroku's, Paketo's …): its own lifecycle, phase by phase.

Its image comes out as files (platform.md "OCI Image Layout"), and we push it: so no phase needs a login, and none can
reach a registry.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wherry.builds import operator_env, operator_files, origin
from wherry.builds.builder_reading import BuilderImage, find, read_builder
from wherry.builds.disk import remove
from wherry.builds.env import base_environment
from wherry.builds.ground import APP, BUNDLE, HOME, PLATFORM, Ground
from wherry.builds.image_layout import publish, write_layout
from wherry.builds.layers import LAYERS
from wherry.builds.output import Output
from wherry.builds.unpack import unpack
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput, NotFound, PlatformFault
from wherry.domain.image import Image
from wherry.domain.text import printable
from wherry.flow.ports import BuildRequest, Cancel, Sandbox, SandboxSession, SandboxSpec, Say
from wherry.flow.talk import detail, step
from wherry.images.registry import Registry
from wherry.settings import Settings

RUN, MADE = "wherry.invalid/run", "wherry.invalid/app"
_LIFECYCLE = "/cnb/lifecycle"
_OPERATOR = "/cnb/build-config"
_NOTHING_DETECTED = {20, 21}


@dataclass(frozen=True)
class BuilderImages:
    """Builds by those that the operator allows (`settings.builders`)."""

    sandbox: Sandbox
    registry: Registry
    settings: Settings
    caches: Path
    _known: dict[str, BuilderImage] = field(default_factory=dict)

    def build(self, reference: str, env: Mapping[str, str], request: BuildRequest, say: Say, cancel: Cancel) -> Image:
        """`reference`: one of the allowed, by digest. `env` counts less than the app's config. Raises BuildFailed,
        Cancelled, PlatformFault.
        """
        builder = self._builder(reference, say)
        with self._ground(builder, env, request) as ground:
            outside, run = ground.work / "layout", self._run_layout(builder, say)
            mounts = {
                APP: (ground.app, False),
                LAYERS: (ground.layers, False),
                HOME: (ground.work / "home", False),
                PLATFORM: (ground.work / "platform", True),
                _OPERATOR: (ground.work / "operator", True),
                "/cache": (self._cache(request.app_id, ground), False),
                "/layout": (outside, False),
                f"/layout/{RUN}": (run, True),
            }
            if (ground.work / "ca-certificates.crt").exists():
                mounts[BUNDLE] = (ground.work / "ca-certificates.crt", True)
            spec = SandboxSpec(
                request.build_id,
                builder.reference,
                ground.user,
                mounts,
                memory=self.settings.number("build_memory_mb"),
                seconds=float(self.settings.number("build_seconds")),
            )
            self.sandbox.run(spec, lambda session: self._phases(session, builder, say), cancel)
            step(say, "Exporting the image")
            notes = origin.of_source(request) | origin.of_base(builder.run_image, builder.run_digest)
            image = publish(outside / MADE / "latest", run / "latest", self.registry, f"apps/{request.app_id}", notes)
            detail(say, f"Image {image.digest[:19]}")
            return image

    # -- what a build needs

    def _builder(self, reference: str, say: Say) -> BuilderImage:
        if reference not in self._known:
            detail(say, f"Reading the builder {printable(reference)}")
            try:
                self._known[reference] = read_builder(reference, self.registry)
            except (NotFound, InvalidInput) as error:  # of the operator's settings: nothing that a pusher could mend
                raise PlatformFault(f"the builder {reference} cannot be used: {error.message}") from error
        return self._known[reference]

    @contextmanager
    def _ground(self, builder: BuilderImage, env: Mapping[str, str], request: BuildRequest) -> Iterator[Ground]:
        owner = (builder.uid, builder.gid) if os.geteuid() == 0 else None
        ground = Ground(self.settings.folder / "builds" / f"yard-{secrets.token_hex(4)}", owner)
        try:
            ground.work.parent.mkdir(parents=True, exist_ok=True)
            ground.lay((), operator_env.bundle_of_host(os.environ))
            ground.give(ground.layers)
            self._write_operator(ground)
            for path in (ground.work / "layout", ground.work / "layout" / RUN):
                path.mkdir(parents=True)
                ground.give(path)
            ground.give(ground.work / "layout" / RUN.partition("/")[0])
            ground.write_config({**env, **{name: value.reveal() for name, value in request.config.items()}})
            unpack(Path(request.source.archive), ground.app, ground.owner)
            yield ground
        except OSError as error:
            raise PlatformFault(f"the build's folder cannot be used: {printable(str(error), 300)}") from error
        finally:
            remove(ground.work)

    def _write_operator(self, ground: Ground) -> None:
        """A file a variable (platform.md "Operator-Defined Variables"); without a suffix it is a default."""
        folder = ground.work / "operator/env"
        folder.mkdir(parents=True)
        bundle = BUNDLE if (ground.work / "ca-certificates.crt").exists() else ""
        files = operator_env.pip_files(os.environ), operator_env.npm_files(os.environ)
        environ = operator_files.with_files(os.environ)
        for change in operator_env.operator_changes(environ, files[0], bundle, files[1]):
            (folder / change.name).write_text(change.value)
            (folder / change.name).chmod(0o644)

    def _cache(self, app_id: int, ground: Ground) -> Path:
        """Builds of one app come one after another, so its cache may stay where it is."""
        cache = self.caches / str(app_id) / "builder-image"
        cache.mkdir(parents=True, exist_ok=True)
        ground.give(cache)
        return cache

    def _run_layout(self, builder: BuilderImage, say: Say) -> Path:
        """The builder's run image as files, kept from one build to the next."""
        folder = self.settings.folder / "builders" / builder.run_digest.replace(":", "-")
        if not folder.exists():
            detail(say, f"Fetching the run image {printable(builder.run_image)}")
            draft = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
            with find(builder.run_image, self.registry) as (registry, name, _):
                write_layout(registry, name, builder.run_digest, draft / "latest")
            try:
                draft.rename(folder)
            except OSError:  # another build was faster
                shutil.rmtree(draft)
        return folder

    # -- the phases

    def _phases(self, session: SandboxSession, builder: BuilderImage, say: Say) -> None:
        detail(say, f"Builder {printable(builder.name)}, Platform API {builder.platform_api}")
        env = {
            **base_environment(builder.env, operator_env.proxies(os.environ) | {"HOME": HOME}),
            **{name: value for name, value in builder.env.items() if name.startswith("CNB_")},
            "CNB_PLATFORM_API": builder.platform_api,
            "CNB_EXPERIMENTAL_MODE": "silent",
            "CNB_USE_LAYOUT": "true",
            "CNB_LAYOUT_DIR": "/layout",
            "CNB_NO_COLOR": "true",
        }
        phases: Mapping[str, Sequence[str]] = {
            "analyzer": ["-run-image", RUN, MADE],
            "detector": [],
            "restorer": ["-cache-dir", "/cache"],
            "builder": [],
            "exporter": ["-cache-dir", "/cache", MADE],
        }
        for phase, arguments in phases.items():
            output = Output(lambda line: say(line if line.startswith((" ", "-----> ")) else f"       {line}"))
            try:
                code = session.execute([f"{_LIFECYCLE}/{phase}", *arguments], env, "/", output.line)
                if code:
                    raise self._failure(phase, code, output)
            finally:
                output.flush()

    def _failure(self, phase: str, code: int, output: Output) -> BuildFailed:
        if code in _NOTHING_DETECTED:
            message = "no buildpack of the builder knows how to build this app"
            return BuildFailed(BuildFailure.NOTHING_DETECTED, message, evidence=list(output.tail)[-10:])
        return output.failure(f"builder's {phase}", code)
