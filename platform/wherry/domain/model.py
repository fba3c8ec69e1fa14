"""The nouns that the ledger keeps: App, Push, Build, Release, Job, Event. Rows of these are facts; none changes in
place here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from wherry.domain.app_json import NOTHING, AppJson
from wherry.domain.build_settings import DEFAULT, BuildSettings
from wherry.domain.config import Config
from wherry.domain.formation import Formation
from wherry.domain.image import Image
from wherry.domain.roles import EVERYTHING, Role, Scope


@dataclass(frozen=True, slots=True)
class Actor:
    """The user behind a change; `admin` may do everything. `scopes`: of the token that they came with."""

    id: int
    email: str
    admin: bool = False
    scopes: frozenset[Scope] = field(default=EVERYTHING, compare=False)


@dataclass(frozen=True, slots=True)
class User:
    """An account. `invited_by`: the address of who brought it in, when that was not the platform's admin."""

    actor: Actor
    name: str = ""
    created_at: datetime | None = None
    invited_by: str = ""


class CredentialKind(StrEnum):
    """TOKEN opens API and git, SESSION the portal; LINK opens nothing but the way to one of these, once."""

    TOKEN = "token"  # noqa: S105 - a word, not one
    SESSION = "session"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token once it was shown: all but itself."""

    id: int
    description: str
    scopes: frozenset[Scope]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Collaborator:
    """Who was given roles on an app that is another's."""

    id: int
    app_id: int
    user: Actor
    roles: frozenset[Role]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class App:
    """`domains`: the custom ones whose owner is proved."""

    id: int
    name: str
    owner: Actor
    created_at: datetime
    updated_at: datetime
    deploy_branch: str | None = None
    build: BuildSettings = DEFAULT
    maintenance: bool = False
    domains: tuple[str, ...] = ()


class BuildStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self not in (BuildStatus.PENDING, BuildStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Source:
    """The tree of one commit as an archive: `archive` is the path of a plain tar, `tree` the git tree id it was
    made from. `wishes`: its app.json. `remarks` are for the pusher (what was left out, and why), and are not kept.
    """

    commit: str
    tree: str
    archive: str
    remarks: tuple[str, ...] = field(default=(), compare=False)
    wishes: AppJson = NOTHING


@dataclass(frozen=True, slots=True)
class Build:
    """One try to turn a Source into an Image. `previous` is where the deploy branch stood before the push (40
    zeros: nowhere).
    """

    id: int
    app_id: int
    actor: Actor
    branch: str
    previous: str
    source: Source
    status: BuildStatus
    created_at: datetime
    finished_at: datetime | None = None
    image: Image | None = None
    failure: str = ""
    message: str = ""


class ReleaseStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Release:
    """vN of an app: image, config snapshot and why. Only its status (with `failure` and `message`) is ever written
    again, once. `formation` and `settings` (how it asked to be built) as they were then; None: made by a version that
    did not keep them.
    """

    id: int
    app_id: int
    number: int
    actor: Actor
    description: str
    status: ReleaseStatus
    image: Image
    config: Config
    created_at: datetime
    build_id: int | None = None
    commit: str = ""
    finished_at: datetime | None = None
    failure: str = ""
    message: str = ""
    formation: Formation | None = None
    settings: BuildSettings | None = None

    @property
    def name(self) -> str:
        return f"v{self.number}"


class JobKind(StrEnum):
    """BUILD, ROLLOUT carry the id of a build or release in `subject`; CRON that of a run; CONVERGE, ROUTE and DESTROY
    that of an app. KEEP has no subject and never ends: whoever holds it keeps the platform.
    """

    BUILD = "build"
    ROLLOUT = "rollout"
    CONVERGE = "converge"
    ROUTE = "route"
    CRON = "cron"
    DESTROY = "destroy"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Job:
    """Work that must not be lost. At most one job of a `lane` runs at a time; `fence` grows with each claim, and a
    result that carries an older fence is refused. `attempt`: how often it was claimed; `faults`: how many of these were
    ended by a fault of ours, not by the end of their worker."""

    id: int
    kind: JobKind
    subject: int
    lane: str
    attempt: int = 0
    fence: int = 0
    faults: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One change: who, what, before, after, from where. Values are JSON scalars; secrets never come here. `app` as it was
    called then, "" for what is no app's. `hash`: its link in the chain (chain.py).
    """

    id: int
    at: datetime
    actor: str
    app: str
    action: str
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    origin: str = ""
    app_id: int | None = None
    hash: str = ""
