"""Webhooks: what of an app is told to whom, by HTTPS, and how often it is tried. Pure.

Entities, levels and statuses are those of Heroku's app webhooks (devcenter.heroku.com/articles/app-webhooks).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from wherry.domain.drains import Target, target
from wherry.domain.errors import InvalidInput
from wherry.domain.model import Event
from wherry.domain.secret import Secret
from wherry.domain.text import printable

MOST_WEBHOOKS = 10
"""Of one app."""

MOST_DELIVERIES = 1000
"""Of one webhook: the oldest that have ended go first; one that lets so many wait is switched off."""

MOST_FAILURES = 20
"""In a row, over about eight hours; then a webhook is switched off."""

SECONDS = 10.0
"""From the first look at DNS to the end of the answer."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(hours=1)

ENTITIES = ("api:app", "api:build", "api:collaborator", "api:domain", "api:dyno", "api:formation", "api:release")
DYNO = "api:dyno"
STATE = "process.state"
"""What a process does by itself: news, but no event of the ledger (states.py)."""

_ALIASES = {"dyno": DYNO}
_ABSENT = ("api:addon", "api:addon-attachment", "api:sni-endpoint")
_LONGEST = 2000


class Level(StrEnum):
    """NOTIFY tries a delivery once, SYNC again and again; both in the order of what happened."""

    NOTIFY = "notify"
    SYNC = "sync"


class Outcome(StrEnum):
    """Of a delivery: PENDING and RETRYING are still to come."""

    PENDING = "pending"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        return self in (Outcome.SUCCEEDED, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a webhook is asked to be. `secret` signs; `authorization`: a header that goes with each delivery."""

    url: Secret
    include: tuple[str, ...]
    level: Level
    secret: Secret
    authorization: Secret | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """`told`: the number of the last event that was looked at for it. `failures`: attempts in a row; until `resume_at`
    nothing is tried. `off_at`: since when it is switched off, and `reason` why.
    """

    id: int
    app_id: int
    wanted: Wanted
    created_at: datetime
    updated_at: datetime
    told: int
    failures: int = 0
    resume_at: datetime | None = None
    off_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """One thing that an event says. `number`: of no other. `verb`: create, update, destroy. `name`: of the process type,
    domain, address or dyno that it is about, where there is one.
    """

    event: Event
    number: int
    include: str
    verb: str
    name: str = ""

    @property
    def resource(self) -> str:
        return self.include.removeprefix("api:")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One piece of news on its way to one webhook. `payload`: as it was when it happened. `code`: the answer's status,
    `error`: the class of failure where there was no answer; both of the last attempt.
    """

    id: int
    app_id: int
    webhook_id: int
    number: int
    include: str
    payload: Mapping[str, object]
    outcome: Outcome
    attempts: int
    created_at: datetime
    updated_at: datetime
    code: int | None = None
    error: str = ""
    attempted_at: datetime | None = None


def pause(failures: int) -> timedelta:
    """After so many attempts in a row that failed."""
    doubled: int = 1 << min(max(failures - 1, 0), 20)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)


def place(url: object) -> Target:
    """Raises InvalidInput."""
    try:
        found = target(url)
    except InvalidInput as error:
        raise wrong(*(each for each in error.evidence if "must begin with" not in each), *_must_be_https(url)) from None
    if found.scheme != "https":
        raise wrong(*_must_be_https(url))
    return found


def _must_be_https(url: object) -> list[str]:
    wrong_scheme = isinstance(url, str) and url and not url.lower().startswith("https://")
    return ["url: must begin with https://"] if wrong_scheme else []


def included(names: object) -> tuple[str, ...]:
    """Raises InvalidInput that names each that is none, and each that this platform does not have."""
    if not isinstance(names, list) or not names:
        raise wrong(f"include: must be a list, of {', '.join(ENTITIES)}")
    problems = []
    for each in names:
        if each in _ABSENT:
            problems.append(f"include: {each}: this platform has no such things (there are: {', '.join(ENTITIES)})")
        elif each not in ENTITIES and each not in _ALIASES:
            problems.append(f"include: there is no '{printable(str(each), 40)}' (there are: {', '.join(ENTITIES)})")
    if problems:
        raise wrong(*problems)
    return tuple(dict.fromkeys(names))


def level(text: object) -> Level:
    """Raises InvalidInput."""
    try:
        return Level(str(text))
    except ValueError:
        raise wrong("level: must be notify (tried once) or sync (tried again)") from None


def header_value(text: object, key: str) -> Secret:
    """What may stand in a header, or sign. Raises InvalidInput; the value, which may be secret, is not repeated."""
    if not isinstance(text, str) or not text or len(text) > _LONGEST or not (text.isascii() and text.isprintable()):
        raise wrong(f"{key}: must be a text of 1 to {_LONGEST} printable ASCII characters")
    return Secret(text)


def wrong(*problems: str) -> InvalidInput:
    return InvalidInput(
        "this is no webhook", problems=problems, hint="Such as: -i api:release -l notify -u https://example.org/hooks"
    )


def wants(webhook: Webhook, news: News) -> str:
    """The name by which this webhook asked for it; "" when it did not."""
    return asked_as(webhook.wanted.include, news.include)


def asked_as(include: Iterable[str], entity: str) -> str:
    """The name in `include` that means the entity; "" for none."""
    return next((each for each in include if _ALIASES.get(each, each) == entity), "")


def news_of(event: Event) -> list[News]:
    """What an event says to webhooks; most say nothing."""
    if event.action == "formation.change":
        changed = [name for name, to in event.after.items() if event.before.get(name) != to]
        return [_news(event, place, "api:formation", "update", name) for place, name in enumerate(sorted(changed))]
    if event.action.startswith("autoscaling."):
        return [_news(event, place, "api:formation", "update", name) for place, name in enumerate(sorted(event.after))]
    if event.action not in _SAYS:
        return []
    include, verb, key = _SAYS[event.action]
    name = str(event.after.get(key) or event.before.get(key) or "") if key else ""
    return [_news(event, 0, include, verb, name)]


def _news(event: Event, part: int, include: str, verb: str, name: str) -> News:
    return News(event, event.id * 1000 + part % 1000, include, verb, name)


_SAYS = {
    "app.maintenance": ("api:app", "update", ""),
    "app.rename": ("api:app", "update", ""),
    "app.transfer": ("api:app", "update", ""),
    "buildpacks.change": ("api:app", "update", ""),
    "stack.change": ("api:app", "update", ""),
    "build.cancel": ("api:build", "update", "build"),
    "build.create": ("api:build", "create", "build"),
    "build.finish": ("api:build", "update", "build"),
    "push": ("api:build", "create", "build"),
    "collaborator.add": ("api:collaborator", "create", "user"),
    "collaborator.change": ("api:collaborator", "update", "user"),
    "collaborator.remove": ("api:collaborator", "destroy", "user"),
    "domain.add": ("api:domain", "create", "domain"),
    "domain.check": ("api:domain", "update", "domain"),
    "domain.doubt": ("api:domain", "update", "domain"),
    "domain.remove": ("api:domain", "destroy", "domain"),
    "one-off.end": ("api:dyno", "destroy", "name"),
    "one-off.run": ("api:dyno", "create", "name"),
    "process.restart": ("api:dyno", "update", "process"),
    "process.stop": ("api:dyno", "update", "process"),
    "release.create": ("api:release", "create", "release"),
    "release.finish": ("api:release", "update", "release"),
}
"""Action to entity, verb, and the key of what it is about."""
