"""The builder of a cluster: each build in a pod of its own. The worker brings the source to where the pod finds it, and
passes on what the pod says; everything else of a build happens there (wherry.pod), by the same lifecycle as on a machine.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from wherry.builds import no_dockerfiles, operator_env, operator_files
from wherry.builds.builder import EnsuresStack
from wherry.builds.builder_image import KnownBuilders
from wherry.builds.pod_base import PodBase, PodBuilders, of_stack
from wherry.builds.pod_cache import REPOSITORY
from wherry.builds.pod_input import BUNDLE, INPUT, PodInput
from wherry.builds.pod_words import Listener
from wherry.builds.stacks import Stack
from wherry.domain.build_settings import CONTAINER
from wherry.domain.errors import (
    BuildFailed,
    BuildFailure,
    Cancelled,
    InvalidInput,
    NotFound,
    PlatformFault,
    WherryError,
)
from wherry.domain.image import Image
from wherry.domain.registry_names import Place
from wherry.domain.text import printable
from wherry.flow.pod_ports import Away, BuildPod, BuildPods, Caps, Ears
from wherry.flow.ports import BuildRequest, Cancel, MarkedSay, Say
from wherry.flow.talk import again, detail, trouble
from wherry.images.layers import Layer
from wherry.images.manifest import image_config, image_manifest
from wherry.images.passage import Passage
from wherry.images.registry import Registry
from wherry.images.stored import PUSHED, push_image
from wherry.logins import Logins
from wherry.settings import Settings

log = logging.getLogger(__name__)
SOURCE_TAG = "source"
_TAR = "application/vnd.oci.image.layer.v1.tar"
_MOST_INPUT = 1_000_000
"""Bytes; a Secret of Kubernetes holds 1 MiB."""
_PASSED = ("build_seconds", "build_memory_mb", "build_free_mb", "buildpack_sources")
"""Settings that count in the pod."""


@dataclass(frozen=True)
class PodBuilder:
    """An adapter of the Builder port. `url` of the registry as a pod reaches it, with `logins`; `pulls`: the same as nodes
    name it. `platform`: the platform's own image, as nodes name it.
    """

    pods: BuildPods
    stacks: EnsuresStack
    registry: Registry
    url: str
    logins: Logins
    pulls: Place
    platform: str
    settings: Settings

    def build(self, request: BuildRequest, say: MarkedSay, cancel: Cancel, leave: Cancel | None = None) -> Image:
        self._check(request)
        leave = leave or Cancel()
        if request.attempt > 1:
            if image := self._gone_on(request, say, cancel, leave):
                return image
            self.pods.sweep(request.build_id, wait=True)
            again(say, request.faults)
        base = self._base(request, say)
        with self._tidied(request, leave):
            self.pods.begin(self._pod(self._brought(request), base))
            return self._followed(request, request.attempt, say, cancel, leave)

    def sweep(self, build_id: int) -> None:
        self.pods.sweep(build_id)

    def forget(self, app_id: int) -> None:
        passage = Passage(self.registry)
        for repository in (REPOSITORY, PUSHED):
            passage.clear(repository.format(app_id))

    def discard(self, images: Collection[tuple[str, str]]) -> None:
        for repository, digest in images:
            self.registry.delete_manifest(repository, digest)

    def prepare(self) -> None:
        """A pod cannot wait for a build: it is made for one app."""

    # -- the sentences of build, in order

    def _check(self, request: BuildRequest) -> None:
        """What needs no pod to be refused; what the app's own files ask for is seen there. Raises BuildFailed."""
        if request.settings.stack == CONTAINER:
            raise no_dockerfiles.refused("The stack of the app is container.")

    def _base(self, request: BuildRequest, say: Say) -> PodBase:
        has_bundle = operator_env.bundle_of_host(os.environ) is not None
        asked = self._builders.asked(request, say, has_bundle=has_bundle)
        return asked or of_stack(self._stack(say), self.pulls, has_bundle=has_bundle)

    @cached_property
    def _builders(self) -> PodBuilders:
        return PodBuilders(KnownBuilders(self.registry), self.settings.builders, self.url, self.pulls)

    def _stack(self, say: Say) -> Stack:
        try:
            return self.stacks.ensure(lambda line: detail(say, line))
        except InvalidInput as error:  # of the operator's settings: nothing that a pusher could mend
            raise PlatformFault(error.message, evidence=error.evidence, hint=error.hint) from error

    def _gone_on(self, request: BuildRequest, say: MarkedSay, cancel: Cancel, leave: Cancel) -> Image | None:
        """The end of what an earlier attempt began; None when nothing is left of it, or it fails by a fault of ours."""
        attempt = self.pods.left(request.build_id)
        if attempt is None:
            return None
        detail(say, "The build goes on; a new worker of the platform follows it")
        try:
            with self._tidied(request, leave):
                return self._followed(request, attempt, say, cancel, leave)
        except Away:
            raise
        except PlatformFault as error:
            trouble(say, error)
            return None

    @contextmanager
    def _tidied(self, request: BuildRequest, leave: Cancel) -> Iterator[None]:
        """The source is in the registry as long as a pod may need it. A pod that failed for our sake is not left to the
        next attempt; any other stays until the verdict stands.
        """
        try:
            yield
        except Away:
            raise
        except Cancelled:
            if not leave.cancelled:
                self._take_away(request)
            raise
        except PlatformFault:
            self._give_up(request)
            self._take_away(request)
            raise
        except BuildFailed:
            self._take_away(request)
            raise
        else:
            self._take_away(request)

    def _give_up(self, request: BuildRequest) -> None:
        try:
            self.pods.sweep(request.build_id)
        except PlatformFault as error:  # the next attempt does it
            log.warning("the pod of a build that failed is still there: %s", " | ".join(error.lines()))

    def _brought(self, request: BuildRequest) -> BuildRequest:
        """The request with its source in the registry."""
        repository, archive = REPOSITORY.format(request.app_id), Path(request.source.archive)
        try:
            with archive.open("rb") as file:
                digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
            layer = Layer(digest, digest, archive.stat().st_size, archive, _TAR)
        except OSError as error:
            raise PlatformFault(f"the source archive cannot be read: {printable(str(error), 300)}") from error
        config = image_config([layer], {})
        manifest = image_manifest(config, [layer], {"org.opencontainers.image.title": "source of a build"})
        push_image(self.registry, repository, config, [layer], manifest)
        self.registry.put_manifest(repository, manifest, SOURCE_TAG)  # with a tag no clean-up takes it for litter
        return replace(request, source=replace(request.source, archive=f"{repository}@{digest}"))

    def _take_away(self, request: BuildRequest) -> None:
        repository = REPOSITORY.format(request.app_id)
        try:
            self.registry.delete_manifest(repository, self.registry.manifest(repository, SOURCE_TAG).digest)
        except NotFound:
            return
        except WherryError as error:  # the next source takes its tag over
            log.warning("the source of a build stays in the registry: %s", " | ".join(error.lines()))

    def _pod(self, request: BuildRequest, base: PodBase) -> BuildPod:
        login = self.logins.current()
        told = PodInput(
            request,
            base.told,
            _settings(self.settings),
            _operator(os.environ),
            (self.url, login.username, login.password),
        )
        inputs = {INPUT: told.dump()}
        if bundle := operator_env.bundle_of_host(os.environ):
            inputs[BUNDLE] = bundle.read_bytes()
        if sum(map(len, inputs.values())) > _MOST_INPUT:
            raise BuildFailed(
                BuildFailure.BAD_SOURCE, f"the app's config is too long for a build on a cluster ({_MOST_INPUT} bytes)"
            )
        return BuildPod(
            request.app_id,
            request.build_id,
            request.attempt,
            self.platform,
            base.image,
            base.user,
            inputs,
            base.mounts,
            self._caps,
        )

    @property
    def _caps(self) -> Caps:
        number = self.settings.number
        return Caps(memory=number("build_memory_mb"), disk=number("build_disk_mb"), seconds=number("build_seconds"))

    def _followed(self, request: BuildRequest, attempt: int, say: MarkedSay, cancel: Cancel, leave: Cancel) -> Image:
        listener = Listener(say, attempt, request.heard)
        ears = Ears(listener.hear, say, cancel, leave)
        found = self.pods.follow(request.build_id, attempt, self._caps, ears)
        if listener.image:
            return listener.image
        if listener.failure and not (listener.gone and found):
            raise listener.failure
        if found:
            raise found
        raise PlatformFault("the build's pod ended without a word of how", evidence=listener.strange)


def _settings(settings: Settings) -> dict[str, str]:
    return {f"WHERRY_{name.upper()}": str(getattr(settings, name)) for name in _PASSED}


def _operator(environ: Mapping[str, str]) -> dict[str, str]:
    """What a builder on this machine would give to its builds (operator_env), as variables."""
    pip, npm = operator_env.pip_files(environ), operator_env.npm_files(environ)
    changes = operator_env.operator_changes(operator_files.with_files(environ), pip, "", npm)
    return {**operator_env.proxies(environ), **{each.name: each.value for each in changes}}
