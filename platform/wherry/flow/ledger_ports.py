"""What the stories need of the ledger: what must not be lost, the transactions that read and write it, jobs and events;
what it keeps of apps, their history, pipelines, cron, webhooks and people stands in the files that are imported here. The
ledger implements these; tests/contract runs the same assertions on each implementation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from wherry.domain.chain import Head
from wherry.domain.model import Actor, Event, Job, JobKind
from wherry.domain.paging import Window
from wherry.flow.account_ports import Accounts, Collaborators, SshKeys, Transfers
from wherry.flow.app_ports import Apps, Domains, Drains, OneOffs, Restarts
from wherry.flow.cron_ports import Crons
from wherry.flow.history_ports import Builds, Releases
from wherry.flow.pipeline_ports import Pipelines
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


class Jobs(Protocol):
    def add(self, kind: JobKind, subject: int, lane: str) -> Job:
        """A free job of the same kind, subject and lane that waits already is returned instead of a second one."""

    def finish(self, job: Job) -> None:
        """Removes it. Raises Conflict when the fence is not the newest: another worker holds the job now."""

    def fault(self, job: Job) -> None:
        """One more that ended an attempt of it; it stays. Raises Conflict as `finish`."""

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
