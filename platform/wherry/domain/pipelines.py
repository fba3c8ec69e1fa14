"""Pipelines: apps of one code base in stages, through which one image is promoted. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wherry.domain.errors import Conflict, InvalidInput
from wherry.domain.model import Actor
from wherry.domain.text import printable

_NAME = re.compile(r"[a-z](?:[a-z0-9]|-(?!-)){1,28}[a-z0-9]")


class Stage(StrEnum):
    """Heroku's. An image moves from each to the next of `ORDER`."""

    TEST = "test"
    REVIEW = "review"
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


ORDER = (Stage.DEVELOPMENT, Stage.STAGING, Stage.PRODUCTION)


@dataclass(frozen=True, slots=True)
class Pipeline:
    id: int
    name: str
    owner: Actor
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Coupling:
    """An app in a stage; an app is in one pipeline at most."""

    id: int
    pipeline_id: int
    app_id: int
    app_name: str
    stage: Stage
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """What became of a promotion in one app: the release that it made, or why it made none."""

    id: int
    app_id: int
    release_id: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Promotion:
    id: int
    pipeline_id: int
    app_id: int
    release_id: int
    created_at: datetime
    targets: tuple[Target, ...]


def pipeline_name(text: object) -> str:
    """Raises InvalidInput."""
    if isinstance(text, str) and _NAME.fullmatch(text):
        return text
    raise InvalidInput(
        f"'{printable(str(text), 60)}' is not a name for a pipeline",
        problems=["name: 3 to 30 lower-case letters, digits and single dashes; starts with a letter"],
    )


def stage_named(text: object) -> Stage:
    """Raises InvalidInput."""
    for stage in Stage:
        if text == stage:
            return stage
    raise InvalidInput(
        f"there is no stage '{printable(str(text), 60)}'", problems=[f"stage: must be one of {', '.join(Stage)}"]
    )


def next_stage(stage: Stage) -> Stage:
    """Where an image of this stage is promoted to. Raises Conflict where there is no next one."""
    place = ORDER.index(stage) + 1 if stage in ORDER else len(ORDER)
    if place >= len(ORDER):
        raise Conflict(
            f"from {stage} there is nowhere to promote to", hint="Name the apps: wherry pipelines:promote -t APP"
        )
    return ORDER[place]
