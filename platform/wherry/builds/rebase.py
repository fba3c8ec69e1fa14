"""Rebase: an image that buildpacks made goes onto the stack's newest run image (platform.md "rebaser"). An adapter of the
Bases port.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wherry.builds import origin
from wherry.builds.export_config import LIFECYCLE_LABEL, REBASE_LABEL
from wherry.builds.stacks import Stacks
from wherry.domain.errors import Conflict, InvalidInput, NotFound, PlatformFault
from wherry.domain.image import Image
from wherry.domain.text import printable
from wherry.flow.image_ports import Below, OnBase
from wherry.images.rebase import push_rebased, rebased
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, read_image

_AGAIN = "To build it again: git push wherry main"
_OF_THE_BASE = ("io.buildpacks.base.", "io.buildpacks.stack.")
_DISTRO = "io.buildpacks.base.distro."


class StackBases:
    """Safe to use from many threads."""

    def __init__(self, registry: Registry, stacks: Stacks) -> None:
        self._registry = registry
        self._stacks = stacks

    def rebase(self, image: Image) -> OnBase:
        base = self._base()
        stored = self._stored(image)
        metadata = _metadata(stored)
        below = _below(stored, metadata)
        _check(stored, metadata, base)
        if metadata["runImage"].get("reference") == base.digest and stored.layers[:below] == base.layers:
            return OnBase(image, base.digest)
        notes = origin.of_base(base.repository, base.digest)
        made = rebased(stored, below, base, _labels(stored, metadata, base, notes), notes)
        digest = push_rebased(self._registry, image.repository, made, base.repository)
        return OnBase(replace(image, digest=digest), base.digest)

    def below(self, image: Image) -> Below:
        base = self._base()
        return Below(str(_metadata(self._stored(image))["runImage"].get("reference", "")), base.digest)

    def _base(self) -> StoredImage:
        try:
            base = self._stacks.newest_run()
        except (NotFound, InvalidInput) as error:
            raise PlatformFault(f"the base image cannot be read: {error.message}", hint="wherry doctor") from error
        if base is None:
            raise PlatformFault("the platform has no base image for its settings yet", hint="To make it: wherry up")
        return base

    def _stored(self, image: Image) -> StoredImage:
        try:
            return read_image(self._registry, image.repository, image.digest)
        except (NotFound, InvalidInput) as error:
            raise Conflict(f"its image cannot be read: {error.message}", hint=_AGAIN) from error


def _metadata(image: StoredImage) -> dict[str, Any]:
    """The buildpack label, of which `runImage` is there and whole. Raises Conflict."""
    label = image.labels.get(LIFECYCLE_LABEL)
    if label is None:
        raise Conflict("its image was not made by buildpacks, so nothing says where its base ends", hint=_AGAIN)
    try:
        found = json.loads(label)
    except (ValueError, TypeError, RecursionError) as error:
        raise Conflict(f"the label {LIFECYCLE_LABEL} of its image cannot be read", hint=_AGAIN) from error
    run = found.get("runImage") if isinstance(found, dict) else None
    if not isinstance(run, dict) or not isinstance(run.get("topLayer"), str):
        raise Conflict(f"the label {LIFECYCLE_LABEL} of its image does not say where its base ends", hint=_AGAIN)
    return dict(found)


def _below(image: StoredImage, metadata: Mapping[str, Any]) -> int:
    """How many layers are of the base: those up to the label's top layer. Raises Conflict."""
    top = metadata["runImage"]["topLayer"]
    if not top:
        return 0  # a base without layers
    places = [number for number, each in enumerate(image.layers, 1) if each.diff_id == top]
    if not places:
        raise Conflict(f"its image has no layer {printable(top, 80)}, which should be its base's top", hint=_AGAIN)
    return places[0]


def _check(image: StoredImage, metadata: Mapping[str, Any], base: StoredImage) -> None:
    """Raises Conflict with every reason why the new base may not go under the image."""
    problems = []
    if image.labels.get(REBASE_LABEL) == "false":
        problems.append(f"its image says {REBASE_LABEL}=false")
    run = metadata["runImage"]
    mirrors = run.get("mirrors")
    if base.repository not in (run.get("image"), *(mirrors if isinstance(mirrors, list) else ())):
        shown = printable(str(run.get("image", "")), 120)
        problems.append(f"its base is {shown or 'unnamed'}, not the platform's {base.repository}")
    for name, old, new in _targets(image, base):
        if old != new:
            problems.append(f"{name} is {printable(str(old), 60) or 'unknown'}, and the new base's {new or 'unknown'}")
    if problems:
        raise Conflict("it cannot go onto the new base: " + "; ".join(problems), hint=_AGAIN)


def _targets(image: StoredImage, base: StoredImage) -> list[tuple[str, object, object]]:
    """What must be the same (platform.md "Target Data")."""
    keys = [(key, image.config.get(key, ""), base.config.get(key, "")) for key in ("os", "architecture", "variant")]
    labels = [
        (name, image.labels.get(label, ""), base.labels.get(label, ""))
        for name, label in (
            ("stack", "io.buildpacks.stack.id"),
            ("distribution", f"{_DISTRO}name"),
            ("version", f"{_DISTRO}version"),
        )
    ]
    return keys + labels


def _labels(
    image: StoredImage, metadata: Mapping[str, Any], base: StoredImage, notes: Mapping[str, str]
) -> dict[str, str]:
    """Those that tell of the base become the new base's; what only the old one said is gone."""
    top = base.layers[-1].diff_id if base.layers else ""
    run = {**metadata["runImage"], "topLayer": top, "reference": base.digest}
    lifecycle = json.dumps({**metadata, "runImage": run}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {
        **{key: value for key, value in image.labels.items() if not key.startswith(_OF_THE_BASE)},
        **{key: value for key, value in base.labels.items() if key.startswith(_OF_THE_BASE)},
        **notes,
        LIFECYCLE_LABEL: lifecycle,
    }
