"""What differs between two states of an app. Pure; values of config never come out, only that they are there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wherry.domain import health
from wherry.domain.app_json import AppJson
from wherry.domain.build_settings import BUILDPACKS, CONTAINER
from wherry.domain.config import Config
from wherry.domain.cron import CronTask, Policy
from wherry.domain.formation import Formation, without_load
from wherry.domain.image import Image
from wherry.domain.model import Release


@dataclass(frozen=True, slots=True)
class Change:
    """`area`: commit, image, stack, buildpacks, process, formation, check, volume, cron or config; `name`: which process
    type, cron command or config var, else "". None: not there.
    """

    area: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """What a release is made of, as texts to compare. None: not known, and then not compared. `images`: digests of
    process types that have one of their own. `wishes`: of its app.json.
    """

    commit: str | None = None
    digest: str | None = None
    stack: str | None = None
    buildpacks: tuple[str, ...] | None = None
    processes: Mapping[str, str] | None = None
    formation: Formation | None = None
    config: Config = field(default_factory=dict)
    images: Mapping[str, str] | None = None
    wishes: AppJson | None = None


def stack_of(image: Image) -> str:
    """What it was made by, seen from how it starts."""
    return CONTAINER if image.starts else BUILDPACKS


def shape_of(release: Release, by_load: bool = True) -> Shape:
    """Formation and buildpacks are not known of releases that older versions made. `by_load`: whether load can decide on
    quantities; where it cannot, what waits for that is nobody's concern.
    """
    formation = release.formation
    return Shape(
        release.commit,
        release.image.digest,
        stack_of(release.image),
        release.settings.buildpacks if release.settings else None,
        release.image.processes,
        formation if by_load or formation is None else without_load(formation),
        release.config,
        {name: each.digest for name, each in release.image.starts.items() if each.digest},
        release.image.wishes,
    )


def difference(before: Shape, after: Shape) -> list[Change]:
    """Area by area; within one by name."""
    return [
        *_one("commit", before.commit, after.commit),
        *_one("image", before.digest, after.digest),
        *_each("image", before.images, after.images),
        *_one("stack", before.stack, after.stack),
        *_one("buildpacks", _joined(before.buildpacks), _joined(after.buildpacks)),
        *_each("process", before.processes, after.processes),
        *_each("formation", _scales(before.formation), _scales(after.formation)),
        *_wishes(before.wishes, after.wishes),
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


def _wishes(before: AppJson | None, after: AppJson | None) -> Iterator[Change]:
    """What of an app.json is in force as long as the release is; the rest is for a first deploy."""
    if before is None or after is None:
        return
    yield from _each("check", _checks(before), _checks(after))
    yield from _each("volume", _volumes(before), _volumes(after))
    yield from _each("cron", _tasks(before), _tasks(after))


def _checks(wishes: AppJson) -> Mapping[str, str]:
    return {
        name: ", ".join(json.dumps(health.write(each), ensure_ascii=False) for each in checks)
        for name, checks in wishes.healthchecks.items()
    }


def _volumes(wishes: AppJson) -> Mapping[str, str]:
    return {
        name: ", ".join(f"{each.name} at {each.path}, {each.mib} MiB" for each in volumes)
        for name, volumes in wishes.volumes.items()
    }


def _tasks(wishes: AppJson) -> Mapping[str, str]:
    found: dict[str, list[str]] = {}
    for each in wishes.cron:
        found.setdefault(each.command, []).append(_schedule(each))
    return {command: "; ".join(schedules) for command, schedules in found.items()}


def _schedule(task: CronTask) -> str:
    policy = f", {task.policy} beside an earlier run" if task.policy is not Policy.ALLOW else ""
    return f"{task.schedule}{policy}{', paused' if task.paused else ''}"


def _config(before: Config, after: Config) -> Iterator[Change]:
    """A secret's text is never its value, so these are compared apart."""
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            was, becomes = before.get(key), after.get(key)
            yield Change("config", key, str(was) if was else None, str(becomes) if becomes else None)


def _joined(buildpacks: tuple[str, ...] | None) -> str | None:
    return None if buildpacks is None else ", ".join(buildpacks)


def _scales(formation: Formation | None) -> Mapping[str, str] | None:
    if formation is None:
        return None
    return {
        name: f"{scale.quantity}:{scale.size}" + (f", {scale.autoscale}" if scale.autoscale else "")
        for name, scale in formation.items()
    }
