"""Builds an app by its Dockerfiles: the engine's builder makes the images, the registry serves them."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from wherry.builds import container_plan, context, operator_env, origin
from wherry.builds.causes import cause_of
from wherry.builds.container_plan import Plan
from wherry.builds.container_starts import starts_of
from wherry.builds.dockerfile import CA_FILE
from wherry.builds.stacks import BUILD, RUN
from wherry.domain.errors import BuildFailed, BuildFailure, NotFound, PlatformFault
from wherry.domain.image import Image
from wherry.domain.text import log_line, printable
from wherry.flow.image_ports import ImageBuild, ImageBuildSpec
from wherry.flow.ports import BuildRequest, Cancel, Say
from wherry.flow.talk import detail, step
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, read_image
from wherry.settings import Settings

_KEPT = 200
_OURS = ("wherry-cache/", "docker.io/wherry-cache/", "index.docker.io/wherry-cache/")
"""Names that the engine's images of other apps' builds have."""


@dataclass(frozen=True, slots=True)
class Containers:
    """`images`: the engine's builder."""

    images: ImageBuild
    registry: Registry
    settings: Settings

    def build(self, app: Path, work: Path, request: BuildRequest, say: Say, cancel: Cancel) -> Image:
        """The unpacked `app` as images; `work` is a folder for what is sent to the engine. Raises BuildFailed, Cancelled,
        PlatformFault.
        """
        plan = container_plan.plan(app)
        self._check_bases(plan, request)
        for notice in plan.notices:
            detail(say, f"heroku.yml: {notice}")
        until = time.monotonic() + self.settings.number("build_seconds")
        needed = {run.image for run in plan.runs.values()}
        made = {
            name: self._image(app, work, plan, name, request, until, say, cancel)
            for name in plan.images
            if name in needed
        }
        return self._released(plan, made, request, say)

    def forget(self, app_id: int) -> None:
        self.images.forget(app_id)

    # -- the sentences of build, in order

    def _check_bases(self, plan: Plan, request: BuildRequest) -> None:
        """An app builds on the stack, on images of its own, and on those of the world: not on another app's."""
        prefix = f"{self.registry.address}/"
        allowed = (RUN, BUILD, f"apps/{request.app_id}")
        problems = []
        for name, file in plan.files.items():
            for base in file.bases:
                repository = base.removeprefix(prefix).partition("@")[0].partition(":")[0]
                if base.startswith(_OURS) or (base.startswith(prefix) and repository not in allowed):
                    problems.append(f"{plan.images[name].dockerfile}: FROM {printable(base)} is not permitted")
        if problems:
            raise BuildFailed(
                BuildFailure.BAD_SOURCE, "the Dockerfile builds on what is not the app's", evidence=problems
            )

    def _image(
        self,
        app: Path,
        work: Path,
        plan: Plan,
        name: str,
        request: BuildRequest,
        until: float,
        say: Say,
        cancel: Cancel,
    ) -> StoredImage:
        recipe, file = plan.images[name], plan.files[name]
        folder, _, keep = recipe.dockerfile.rpartition("/")
        step(say, f"Building {recipe.dockerfile}{f' to {recipe.target}' if recipe.target else ''} for {name}")
        if file.exposes:
            detail(say, "EXPOSE counts for nothing here: a web process listens on $PORT.")
        bundle = operator_env.bundle_of_host(os.environ) if file.wants_bundle else None
        tar = work / f"context-{name}.tar"
        if left_out := context.write(app, folder, keep, tar, (CA_FILE, bundle) if bundle else None):
            detail(say, f"{context.IGNORE} leaves out {left_out} file{'s' if left_out > 1 else ''}")
        spec = ImageBuildSpec(
            request.app_id,
            request.build_id,
            name,
            tar,
            keep,
            f"apps/{request.app_id}",
            recipe.target,
            {**_proxies(os.environ, say), **plan.args},
            _labels(request, file.bases),
            file.bases,
            memory=self.settings.number("build_memory_mb"),
            seconds=max(until - time.monotonic(), 1.0),
        )
        digest = self._made(spec, say, cancel)
        tar.unlink()
        try:
            return read_image(self.registry, spec.repository, digest)
        except NotFound as error:
            raise PlatformFault(f"the registry does not have what was pushed: {digest}") from error

    def _made(self, spec: ImageBuildSpec, say: Say, cancel: Cancel) -> str:
        tail = deque[str](maxlen=_KEPT)

        def hear(raw: bytes) -> None:
            line = log_line(raw)
            tail.append(line)
            detail(say, line)

        try:
            return self.images.build(spec, hear, cancel)
        except BuildFailed as error:
            if error.kind is not BuildFailure.STEP_FAILED or not (cause := cause_of(list(tail))):
                raise
            raise BuildFailed(cause.kind, error.message, evidence=error.evidence, hint=cause.hint) from error

    def _released(self, plan: Plan, made: Mapping[str, StoredImage], request: BuildRequest, say: Say) -> Image:
        step(say, "Discovering process types")
        main = made.get("web") or next(iter(made.values()))
        image = Image(main.repository, main.digest)
        starts, processes = starts_of(plan.runs, made, main.digest, say)
        detail(say, f"Process types -> {', '.join(processes)}")
        for name, each in made.items():
            detail(say, f"Image of {name}: {each.digest[:19]}")
        return replace(image, processes=processes, starts=starts)


def _labels(request: BuildRequest, bases: Sequence[str]) -> dict[str, str]:
    """The base of an image of several stages is not known before it is built, nor the digest behind a tag."""
    name, _, digest = bases[0].partition("@") if len(set(bases)) == 1 else ("", "", "")
    return {**origin.of_source(request), **origin.of_base(name, digest)}


def _proxies(environ: Mapping[str, str], say: Say) -> dict[str, str]:
    """Every step is given them, and no layer keeps them unless the Dockerfile asks for them by ARG: so not those that
    have a password.
    """
    found = operator_env.proxies(environ)
    safe = {name: value for name, value in found.items() if not urlsplit(value).password}
    if len(safe) < len(found):
        detail(say, "The proxy has a password, and is not handed to a Dockerfile's steps.")
    return safe
