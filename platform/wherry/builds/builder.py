"""The builder: one build, from a source archive to an image in the registry."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache as once
from pathlib import Path
from typing import Protocol

from wherry.builds import cache, container_plan, no_dockerfiles, operator_env, operator_files
from wherry.builds.asked import PROCFILE, Asked, leave_out, settle
from wherry.builds.beforehand import Beforehand
from wherry.builds.builder_image import BuilderImages
from wherry.builds.builder_reading import chosen_builder
from wherry.builds.built import built_of
from wherry.builds.cache import CacheUnit
from wherry.builds.catalogue import Catalogue
from wherry.builds.container import Containers
from wherry.builds.disk import need_free, remove
from wherry.builds.earlier import Earlier
from wherry.builds.elsewhere import Elsewhere, FetchesTree
from wherry.builds.env import Action, Change, base_environment
from wherry.builds.export import RECORDS, export
from wherry.builds.ground import BUNDLE, HOME
from wherry.builds.model import Built
from wherry.builds.phases import Phases
from wherry.builds.shelf import Shelf
from wherry.builds.stacks import Stack
from wherry.builds.surroundings import Surroundings
from wherry.builds.target import Base, Distro
from wherry.builds.unpack import unpack
from wherry.builds.yard import Yard, Yards
from wherry.domain.errors import (
    BuildFailed,
    BuildFailure,
    Cancelled,
    InvalidInput,
    PlatformFault,
    WherryError,
)
from wherry.domain.image import Image
from wherry.domain.text import printable
from wherry.flow.ports import BuildRequest, Cancel, Sandbox, Say
from wherry.flow.talk import again, building, detail, step
from wherry.images.layer_cache import LayerCache
from wherry.images.passage import Passage
from wherry.images.registry import Registry
from wherry.images.stored import PUSHED, StoredImage
from wherry.settings import Settings, root_folder


class EnsuresStack(Protocol):
    def ensure(self, say: Say) -> Stack: ...

    def known(self) -> Stack | None:
        """The stack when there is one already."""


class TakesYard(Protocol):
    def take(self, stack: Stack) -> Yard:
        """The caller removes its folder. Raises PlatformFault."""

    def prepare(self, stack: Stack) -> None: ...


class LifecycleBuilder:
    """An adapter of the Builder port. Work and caches lie side by side in the home folder, so that a layer moves from
    one to the other by a rename. `buildpacks`: a folder with order.toml; default our own. `trees`: how
    the git repository of a buildpack is fetched. `containers`: builds Dockerfiles, where that can be done. `yards`: where
    a build happens; default folders of this machine. `repository`: where images go, by the app's id.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        stacks: EnsuresStack,
        registry: Registry,
        settings: Settings,
        buildpacks: Path | None = None,
        trees: FetchesTree | None = None,
        containers: Containers | None = None,
        yards: TakesYard | None = None,
        repository: str = "apps/{}",
    ) -> None:
        self._repository = repository
        self._containers = containers
        self._sandbox = sandbox
        self._stacks = stacks
        self._registry = registry
        self._settings = settings
        self._yards = yards or Yards(sandbox, settings, buildpacks or root_folder() / "buildpacks")
        shelf = Shelf(settings.folder / "buildpacks")
        self._elsewhere = Elsewhere(shelf, registry, settings.sources_of_buildpacks, trees)
        self._caches = settings.folder / "caches"
        self._builder_images = BuilderImages(sandbox, registry, settings, self._caches)

    def build(self, request: BuildRequest, say: Say, cancel: Cancel, leave: Cancel | None = None) -> Image:
        if leave:
            leave.on_cancel(cancel.cancel)  # it ends with us
        if request.attempt > 1:
            again(say, request.faults)
        building(say, request)
        self._sweep(request)
        need_free(self._settings.folder, self._settings.number("build_free_mb"))
        if chosen := chosen_builder(request, self._settings.builders):
            return self._builder_images.build(*chosen, request, say, cancel)
        with Beforehand(self._registry, request.previous) as beforehand:
            return self._by_buildpacks(request, self._stack(say), beforehand, say, cancel)

    def sweep(self, build_id: int) -> None:
        """A sandbox ends with its worker; the next attempt removes it."""

    def forget(self, app_id: int) -> None:
        cache.forget(self._caches / str(app_id))
        if self._containers:
            self._containers.forget(app_id)
        Passage(self._registry).clear(PUSHED.format(app_id))

    def discard(self, images: Collection[tuple[str, str]]) -> None:
        for repository, digest in images:
            self._registry.delete_manifest(repository, digest)

    def prepare(self) -> None:
        if stack := self._stacks.known():
            self._yards.prepare(stack)

    # -- the sentences of build, in order

    def _sweep(self, request: BuildRequest) -> None:
        """What an attempt left whose worker was killed."""
        if request.attempt > 1:
            self._sandbox.sweep(request.build_id)

    def _stack(self, say: Say) -> Stack:
        try:
            return self._stacks.ensure(lambda line: detail(say, line))
        except InvalidInput as error:  # of the operator's settings: nothing that a pusher could mend
            raise PlatformFault(error.message, evidence=error.evidence, hint=error.hint) from error

    def _by_buildpacks(
        self, request: BuildRequest, stack: Stack, beforehand: Beforehand, say: Say, cancel: Cancel
    ) -> Image:
        """Or by the Dockerfile that the app has."""
        with self._yard(stack) as yard, self._cache(request, yard.ground.work, say) as unit:
            unpack(Path(request.source.archive), yard.ground.app, yard.ground.owner)
            why = self._why_dockerfile(yard, request)
            built = None if why else self._built(request, stack, beforehand, yard, unit, say, cancel)
            if built is None:
                return self._of_dockerfile(
                    yard, request, why or "No buildpack knows it, and there is a Dockerfile.", say, cancel
                )
            unit.good = built.layers
            if cancel.cancelled:
                raise Cancelled("the build was cancelled")
            return self._export(built, stack, beforehand, request, say)

    def _earlier(self, previous: StoredImage | None, work: Path) -> Earlier:
        if previous is None:
            return Earlier()
        return Earlier(
            previous.labels,
            previous.layers,
            lambda layer: self._registry.fetch_blob(previous.repository, layer.digest, work),
        )

    @contextmanager
    def _yard(self, stack: Stack) -> Iterator[Yard]:
        yard = self._yards.take(stack)
        try:
            yield yard
        except OSError as error:
            raise PlatformFault(f"the build's folder cannot be used: {printable(str(error), 300)}") from error
        finally:
            remove(yard.ground.work)

    @contextmanager
    def _cache(self, request: BuildRequest, work: Path, say: Say) -> Iterator[CacheUnit]:
        """Whatever becomes of the build, its caches end up whole. One that was killed leaves nothing of its own."""
        unit = CacheUnit(self._caches / str(request.app_id), work / "cache")
        try:
            yield unit
        except WherryError as error:
            unit.failed(error)
            raise
        finally:
            try:
                unit.put_back()
            except OSError as error:
                detail(say, f"The build cache was not kept: {printable(str(error), 300)}")

    def _built(
        self,
        request: BuildRequest,
        stack: Stack,
        beforehand: Beforehand,
        yard: Yard,
        unit: CacheUnit,
        say: Say,
        cancel: Cancel,
    ) -> Built | None:
        """None when nothing detects, and there is a Dockerfile that can be built."""
        ground = yard.ground
        asked = settle(ground.app, request.settings, yard.catalogue, self._elsewhere, say)
        config = {**asked.wish.env, **{name: value.reveal() for name, value in request.config.items()}}
        ground.write_config(config)
        ground.bring(asked.more)
        leave_out(ground.app, asked.wish, say)
        beside = self._has_dockerfile_beside(ground.app, asked, request)
        catalogue = _without_procfile_alone(asked.catalogue) if beside else asked.catalogue
        around = _surroundings(stack, config, request.source.commit, BUNDLE if yard.has_bundle else "")

        @once
        def earlier() -> Earlier:
            return self._earlier(beforehand.previous(), ground.work)

        phases = Phases(ground, catalogue, around, unit, earlier, say)
        try:
            self._sandbox.run(yard.spec(request.build_id), phases.run, cancel)
        except BuildFailed as error:
            if not beside or error.kind is not BuildFailure.NOTHING_DETECTED:
                raise
            if not self._containers:
                raise no_dockerfiles.nothing_else(error) from error
            return None
        if beside and self._containers:
            detail(say, "There is a Dockerfile too. To build that: wherry stack:set container")
        records = LayerCache(self._caches / str(request.app_id) / RECORDS)
        made = built_of(ground, phases.group, phases.outcome, earlier(), records)
        built = replace(made, said=asked.wish.said)
        _say_types(built, say)
        return built

    def _why_dockerfile(self, yard: Yard, request: BuildRequest) -> str:
        why = container_plan.wanted(yard.ground.app, request.settings)
        if why and not self._containers:
            raise no_dockerfiles.refused(why)
        return why

    def _has_dockerfile_beside(self, app: Path, asked: Asked, request: BuildRequest) -> bool:
        """Where the app has said nothing about how it is built."""
        silent = not request.settings.stack and not asked.catalogue.listed
        return silent and container_plan.there(app)

    def _of_dockerfile(self, yard: Yard, request: BuildRequest, why: str, say: Say, cancel: Cancel) -> Image:
        assert self._containers
        step(say, f"Building by Dockerfile: {why}")
        return self._containers.build(yard.ground.app, yard.ground.work, request, say, cancel)

    def _export(self, built: Built, stack: Stack, beforehand: Beforehand, request: BuildRequest, say: Say) -> Image:
        repository, previous = self._repository.format(request.app_id), beforehand.previous()
        present = beforehand.present() if previous and previous.repository == repository else frozenset()
        return export(built, stack, self._registry, repository, previous, self._caches, request, say, present)


def _without_procfile_alone(catalogue: Catalogue) -> Catalogue:
    """A Procfile says what runs, but not what to build."""
    groups = [each for each in catalogue.groups if {one.id for one in each if not one.optional} - {PROCFILE}]
    return catalogue.ordered((), groups)


def _say_types(built: Built, say: Say) -> None:
    step(say, "Discovering process types")
    by_buildpack: dict[str, list[str]] = {}
    for each in built.processes:
        by_buildpack.setdefault(each.buildpack, []).append(each.type)
    for buildpack, types in by_buildpack.items():
        who = "Procfile declares types" if buildpack.endswith("/procfile") else f"Default types of {buildpack}"
        detail(say, f"{who} -> {', '.join(types)}")


def _surroundings(stack: Stack, config: dict[str, str], commit: str, bundle: str) -> Surroundings:
    host = operator_env.proxies(os.environ) | {"HOME": HOME}
    npm = operator_env.npm_files(os.environ)
    environ = operator_files.with_files(os.environ)
    operator = operator_env.operator_changes(environ, operator_env.pip_files(os.environ), bundle, npm)
    return Surroundings(
        base_environment(stack.build.env, host),
        Base("linux", stack.architecture, "", Distro(*stack.distro)),
        config,
        (*operator, Change("SOURCE_VERSION", Action.DEFAULT, commit)),
    )
