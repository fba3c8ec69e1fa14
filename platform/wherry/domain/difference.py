"""What differs between two states of an app. Pure; values of config never come out, only that they are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wherry.domain.build_settings import BUILDPACKS, CONTAINER
from wherry.domain.config import Config
from wherry.domain.formation import Formation
from wherry.domain.image import Image
from wherry.domain.model import Release


@dataclass(frozen=True, slots=True)
class Change:
    """`area`: commit, image, stack, buildpacks, process, formation or config; `name`: which process type or config var,
    else "". None: not there.
    """

    area: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """What a release is made of, as texts to compare. None: not known, and then not compared."""

    commit: str | None = None
    digest: str | None = None
    stack: str | None = None
    buildpacks: tuple[str, ...] | None = None
    processes: Mapping[str, str] | None = None
    formation: Formation | None = None
    config: Config = field(default_factory=dict)


def stack_of(image: Image) -> str:
    """What it was made by, seen from how it starts."""
    return CONTAINER if image.starts else BUILDPACKS


def shape_of(release: Release) -> Shape:
    """Formation and buildpacks are not known of releases that older versions made."""
    return Shape(
        release.commit,
        release.image.digest,
        stack_of(release.image),
        release.settings.buildpacks if release.settings else None,
        release.image.processes,
        release.formation,
        release.config,
    )


def difference(before: Shape, after: Shape) -> list[Change]:
    """Area by area; within one by name."""
    return [
        *_one("commit", before.commit, after.commit),
        *_one("image", before.digest, after.digest),
        *_one("stack", before.stack, after.stack),
        *_one("buildpacks", _joined(before.buildpacks), _joined(after.buildpacks)),
        *_each("process", before.processes, after.processes),
        *_each("formation", _scales(before.formation), _scales(after.formation)),
        *_config(before.config, after.config),
    ]


def _one(area: str, before: str | None, after: str | None) -> Iterator[Change]:
    if before is not None and after is not None and before != after:
        yield Change(area, "", before or None, after or None)


def _each(area: str, before: Mapping[str, str] | None, after: Mapping[str, str] | None) -> Iterator[Change]:
    if before is None or after is None:
        return
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield Change(area, name, before.get(name), after.get(name))


def _config(before: Config, after: Config) -> Iterator[Change]:
    """A secret's text is never its value, so these are compared apart."""
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            was, becomes = before.get(key), after.get(key)
            yield Change("config", key, str(was) if was else None, str(becomes) if becomes else None)


def _joined(buildpacks: tuple[str, ...] | None) -> str | None:
    return None if buildpacks is None else ", ".join(buildpacks)


def _scales(formation: Formation | None) -> Mapping[str, str] | None:
    return None if formation is None else {name: f"{scale.quantity}:{scale.size}" for name, scale in formation.items()}
