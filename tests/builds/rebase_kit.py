"""Stacks of a few bytes, an app exported on one of them, and what puts it on another."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from wherry.builds.export import export
from wherry.builds.rebase import StackBases
from wherry.builds.stacks import Stack, Stacks
from wherry.domain.image import Image
from wherry.images.entries import of_files
from wherry.images.layers import pack
from wherry.images.manifest import image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import push_image, read_image
from wherry.settings import Settings

from tests.builds.finished import BUILD_ENV, LABELS, RUN_ENV, finished_build, request

RUN = {"Env": RUN_ENV, "User": "1001:1000", "Labels": {**LABELS, "io.buildpacks.stack.id": "io.wherry.stacks.test"}}


def stack(registry: Registry, folder: Path, *contents: str, labels: dict[str, str] | None = None) -> Stack:
    """Its run image has a layer for each of `contents`."""
    layers = [pack(of_files({"/etc/which": (text.encode() * 1000, 0o644)}), folder) for text in contents]
    settings = {**RUN, "Labels": {**RUN["Labels"], **(labels or {})}}  # type: ignore[dict-item]
    images = []
    for repository, own in (("stack/build", {"Env": BUILD_ENV}), ("stack/run", settings)):
        config = image_config(layers, own)
        digest = push_image(registry, repository, config, layers, image_manifest(config, layers, {}))
        images.append(read_image(registry, repository, digest))
    build, run = images
    return Stack(build, run, *(registry.reference(each.repository, each.digest) for each in images))


def app_on(stack: Stack, registry: Registry, folder: Path, repository: str = "apps/7") -> Image:
    """The same app each time."""
    work = folder / f"{repository.replace('/', '-')}-{stack.run.digest[7:19]}"
    return export(
        finished_build(work), stack, registry, repository, None, folder / "caches", request(), lambda line: None
    )


def bases_of(stack: Stack, registry: Registry, folder: Path) -> StackBases:
    """The platform, once its operator has chosen that stack."""
    settings = dataclasses.replace(Settings.load({}), stack_build=stack.build_ref, stack_run=stack.run_ref)
    stacks = Stacks(registry, folder / "stacks", settings)
    stacks.ensure(lambda line: None)
    return StackBases(registry, stacks)
