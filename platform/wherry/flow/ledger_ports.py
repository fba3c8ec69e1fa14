"""What the stories need of the ledger: what must not be lost, and the transactions that read and write it. The ledger
implements these; tests/contract runs the same assertions on each implementation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from wherry.domain.build_settings import BuildSettings
from wherry.domain.chain import Head
from wherry.domain.config import Config
from wherry.domain.domains import CustomDomain
from wherry.domain.drains import Drain
from wherry.domain.formation import Formation
from wherry.domain.image import Image
from wherry.domain.model import Actor, App, Build, Event, Job, JobKind, Release, ReleaseStatus, Source
from wherry.domain.one_off import OneOff
from wherry.domain.paging import Window
from wherry.domain.pipelines import Coupling, Pipeline, Promotion, Stage
from wherry.domain.restarts import Target, Wish
from wherry.domain.retention import Standing
from wherry.domain.secret import Secret
from wherry.domain.ssh_keys import PublicKey, UserKey
from wherry.flow.account_ports import Accounts, Collaborators, Transfers
from wherry.flow.cron_ports import Crons
from wherry.flow.webhook_ports import Webhooks


class Ledger(Protocol):
    """What must not be lost. All reads and writes go through a transaction; leaving its block normally commits it
    durably.
    """

    def begin(self, *, read_only: bool = False) -> AbstractContextManager[Transaction]:
        """With `read_only` it waits for nobody who writes, and refuses to write. Never one inside another."""

    def claim(self, worker: str, kinds: Sequence[JobKind]) -> Job | None:
        """The oldest free job whose lane is free, leased to `worker`; a job whose lease ended is free again, with a
        higher fence.
        """

    def free(self, worker: str) -> None:
        """Frees at once every job that an earlier life of `worker` had claimed. Only for a worker that knows it is
        alone.
        """

    def renew(self, job: Job) -> bool:
        """False when the lease is no longer ours: the work must stop."""

    def wait(self, seconds: float) -> None:
        """Returns early when a job was added, finished or a build cancelled, or an event added, by any process; or by
        `ring`.
        """

    def ring(self) -> None: ...

    def heads(self) -> Iterator[Head]:
        """Heads of the chain of events, one for each commit that wrote some, from where they are kept outside the
        database.
        """


class Transaction(Protocol):
    """One unit of work, serialised against every other that writes."""

    @property
    def apps(self) -> Apps: ...
    @property
    def builds(self) -> Builds: ...
    @property
    def releases(self) -> Releases: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def events(self) -> Events: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def collaborators(self) -> Collaborators: ...
    @property
    def restarts(self) -> Restarts: ...
    @property
    def crons(self) -> Crons: ...
    @property
    def domains(self) -> Domains: ...
    @property
    def drains(self) -> Drains: ...
    @property
    def pipelines(self) -> Pipelines: ...
    @property
    def one_offs(self) -> OneOffs: ...
    @property
    def ssh_keys(self) -> SshKeys: ...
    @property
    def webhooks(self) -> Webhooks: ...
    @property
    def transfers(self) -> Transfers: ...


class Apps(Protocol):
    def add(self, name: str, owner: Actor, now: datetime) -> App:
        """Raises Conflict when the name is taken or was another app's within the last 90 days."""

    def by_id(self, app_id: int) -> App:
        """Raises NotFound."""

    def by_name(self, name: str) -> App:
        """Raises NotFound."""

    def all(self) -> list[App]: ...

    def seen_by(self, user_id: int) -> list[App]:
        """Those that the user owns or has a role on, by name."""

    def page(self, user_id: int | None, window: Window, by_id: bool = False) -> list[App]:
        """By name, or by id: those that the user owns or has a role on; None: all."""

    def among(self, user_id: int | None, ids: Collection[int], names: Collection[str]) -> list[App]:
        """Those of `page` that have one of these ids or names, by name."""

    def rename(self, app_id: int, name: str, now: datetime) -> App:
        """Raises Conflict as `add` does."""

    def set_owner(self, app_id: int, owner: Actor, now: datetime) -> None: ...

    def set_deploy_branch(self, app_id: int, branch: str) -> None: ...

    def set_maintenance(self, app_id: int, on: bool) -> None: ...

    def put_build_settings(self, app_id: int, settings: BuildSettings) -> None: ...

    def remove(self, app_id: int, now: datetime) -> None:
        """Keeps the name as a tombstone; removes config, formation and pending jobs."""

    def config(self, app_id: int) -> Config: ...

    def put_config(self, app_id: int, config: Config) -> None: ...

    def formation(self, app_id: int) -> Formation: ...

    def formations(self, app_ids: Collection[int]) -> dict[int, Formation]:
        """Of many apps at once; one that has none is left out."""

    def put_formation(self, app_id: int, formation: Formation) -> None: ...


class Builds(Protocol):
    def add(self, app_id: int, actor: Actor, branch: str, previous: str, source: Source, now: datetime) -> Build: ...

    def by_id(self, build_id: int) -> Build:
        """Raises NotFound."""

    def of_app(self, app_id: int, limit: int = 50) -> list[Build]:
        """Newest first."""

    def page(self, app_id: int, window: Window) -> list[Build]:
        """By id."""

    def unfinished(self, app_id: int) -> list[Build]: ...

    def start(self, build_id: int) -> None: ...

    def finish(self, build: Build) -> bool:
        """Writes status, image, failure, message and finished_at, unless the build is final already (then False)."""


class Releases(Protocol):
    def append(
        self,
        app_id: int,
        actor: Actor,
        description: str,
        image: Image,
        config: Config,
        now: datetime,
        build_id: int | None = None,
        commit: str = "",
        formation: Formation | None = None,
        settings: BuildSettings | None = None,
    ) -> Release:
        """The next number, pending."""

    def begin_at(self, app_id: int, number: int) -> None:
        """The first release will have this number; once there is one, nothing changes."""

    def by_id(self, release_id: int) -> Release:
        """Raises NotFound."""

    def by_number(self, app_id: int, number: int) -> Release:
        """Raises NotFound."""

    def of_app(self, app_id: int, limit: int = 50) -> list[Release]:
        """Newest first."""

    def of_builds(self, build_ids: Collection[int]) -> dict[int, Release]:
        """The first release of each, without its config."""

    def page(self, app_id: int, window: Window, by_id: bool = False) -> list[Release]:
        """By number, or by id; without their config (config.UNREAD)."""

    def kept(self, app_id: int, most: int) -> list[Release]:
        """Those whose image stays (domain/retention.py), without their config."""

    def standing(self, app_id: int, most: int) -> Standing:
        """`most`: of how many that served the image is kept."""

    def newest(self, app_id: int) -> Release | None:
        """The newest that has not failed."""

    def newests(self, app_ids: Collection[int]) -> dict[int, Release]:
        """`newest` of many apps at once, without their config."""

    def before(self, app_id: int, number: int) -> Release | None:
        """The succeeded release with the highest number below."""

    def of_build(self, build_id: int) -> Release | None:
        """The first release of that build."""

    def current(self, app_id: int) -> Release | None:
        """The succeeded release with the highest number."""

    def currents(self, app_ids: Collection[int]) -> dict[int, Release]:
        """Of many apps at once, without their config."""

    def finish(
        self, release_id: int, status: ReleaseStatus, now: datetime, failure: str = "", message: str = ""
    ) -> bool:
        """False when it was final already."""


class Jobs(Protocol):
    def add(self, kind: JobKind, subject: int, lane: str) -> Job:
        """A free job of the same kind, subject and lane that waits already is returned instead of a second one."""

    def finish(self, job: Job) -> None:
        """Removes it. Raises Conflict when the fence is not the newest: another worker holds the job now."""

    def drop(self, kind: JobKind, subject: int) -> None:
        """Removes jobs that nobody has claimed."""

    def waiting(self) -> list[Job]:
        """All that are not finished, oldest first."""


class Events(Protocol):
    def add(
        self,
        now: datetime,
        actor: Actor,
        app: str,
        action: str,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        origin: str = "",
    ) -> None:
        """The next link of the chain (domain/chain.py). `app`: "" for what is no app's."""

    def of_app(self, app: str, limit: int = 50) -> list[Event]:
        """Newest first."""

    def page(self, app_id: int | None, window: Window) -> list[Event]:
        """By id; of one app, or of all."""

    def since(self, app_id: int, action: str, at: datetime) -> list[Event]:
        """Of one kind, from that time on."""

    def hashes(self, ids: Collection[int]) -> dict[int, str]:
        """Of those that are there."""


class Restarts(Protocol):
    def wish(self, app_id: int, target: Target, stop_first: bool) -> Wish:
        """Takes the place of an earlier wish of the same kind for the same target; its number is the highest."""

    def of_app(self, app_id: int) -> list[Wish]:
        """By number."""


class Domains(Protocol):
    def add(
        self, app_id: int, owner_id: int, name: str, now: datetime, verified_at: datetime | None
    ) -> CustomDomain: ...

    def of_app(self, app_id: int) -> list[CustomDomain]:
        """By name."""

    def near(self, name: str) -> list[CustomDomain]:
        """Those of all apps that share their last two labels with `name`."""

    def checked(self, domain_id: int, now: datetime, verified_at: datetime | None, reason: str) -> CustomDomain:
        """Raises NotFound."""

    def due(self, now: datetime, most: int) -> list[CustomDomain]:
        """Those of living apps that DNS proved, and whose record is to be looked at again by `now`; the longest due
        first.
        """

    def looked(self, domain: CustomDomain) -> None:
        """Keeps its `look_at`, `missing_since`, `doubted_at` and `reason`. Raises NotFound."""

    def remove(self, domain_id: int) -> None: ...


class Drains(Protocol):
    def add(self, app_id: int, token: str, url: Secret, now: datetime) -> Drain:
        """The URL is sealed. Raises NotFound for an app that is gone."""

    def of_app(self, app_id: int) -> list[Drain]:
        """Oldest first."""

    def all(self) -> list[Drain]:
        """Those of every living app."""

    def remove(self, drain_id: int) -> None: ...


class Pipelines(Protocol):
    def add(self, name: str, owner: Actor, now: datetime) -> Pipeline:
        """Raises Conflict when the owner has one of that name."""

    def by_id(self, pipeline_id: int) -> Pipeline:
        """Raises NotFound."""

    def all(self) -> list[Pipeline]:
        """By name."""

    def rename(self, pipeline: Pipeline, name: str, now: datetime) -> Pipeline:
        """Raises Conflict as `add` does."""

    def remove(self, pipeline_id: int) -> None:
        """With its couplings."""

    def couple(self, pipeline_id: int, app_id: int, stage: Stage, now: datetime) -> Coupling:
        """Raises Conflict when the app is in a pipeline."""

    def coupling(self, coupling_id: int) -> Coupling:
        """Raises NotFound."""

    def of_app(self, app_id: int) -> Coupling | None: ...

    def couplings(self, pipeline_id: int) -> list[Coupling]:
        """By the apps' names."""

    def move(self, coupling_id: int, stage: Stage) -> Coupling: ...

    def uncouple(self, coupling_id: int) -> None: ...

    def keep(
        self,
        pipeline_id: int,
        app_id: int,
        release_id: int,
        targets: Sequence[tuple[int, int | None, str]],
        now: datetime,
    ) -> Promotion:
        """`targets`: app, release made in it, why none."""

    def promotion(self, promotion_id: int) -> Promotion:
        """Raises NotFound."""


class OneOffs(Protocol):
    """Those that wait, run, or have ended and not been cleared up."""

    def add(self, one_off: OneOff, digest: str | None) -> OneOff:
        """With its id, and with the next free number where its own is taken. `digest`: of the word that attaches to it.
        Raises Conflict when all numbers are taken.
        """

    def by_name(self, app_id: int, name: str) -> OneOff:
        """Raises NotFound."""

    def take(self, digest: str) -> OneOff | None:
        """The one that the word attaches to; a second time, None."""

    def all(self, app_id: int | None = None) -> list[OneOff]:
        """Oldest first; those of apps that are gone are left out."""

    def remove(self, one_off_id: int) -> bool:
        """False when it was gone already."""


class SshKeys(Protocol):
    def add(self, user: Actor, key: PublicKey, now: datetime) -> UserKey:
        """Raises Conflict for a key that is anybody's."""

    def by_id(self, key_id: int) -> UserKey | None: ...

    def of_user(self, user_id: int) -> list[UserKey]:
        """Oldest first."""

    def all(self) -> list[UserKey]: ...

    def remove(self, key_id: int) -> None: ...
