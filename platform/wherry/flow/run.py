"""One-offs: asked for at a door, attached to at another, and cleared up whoever of the two dies."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wherry.domain.errors import Conflict, NotFound, Unauthorized, WherryError
from wherry.domain.formation import DEFAULT_SIZE
from wherry.domain.model import Actor, App, Release
from wherry.domain.one_off import NUMBERS, PATIENCE, RUN, Errand, OneOff, Task
from wherry.domain.secret import Secret
from wherry.domain.text import printable
from wherry.flow.access import digest
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.plan import task
from wherry.flow.ports import Clock
from wherry.flow.task_ports import Ended, Session, Stage, Tasks, TaskState

LINGER = timedelta(seconds=10)
"""How long one without a client stays after its end, so that whoever follows the logs has read all of it."""
STARTS_WITHIN = timedelta(minutes=10)
"""Of which most would be the pull of its image."""


@dataclass(frozen=True)
class Limits:
    """Of one app: how many one-offs at a time, and how many seconds each may take."""

    most: int = 10
    seconds: int = 24 * 3600


@dataclass(frozen=True)
class RunOneOff:
    ledger: Ledger
    runtime: Tasks
    clock: Clock
    limits: Limits

    def run(self, actor: Actor, app: App, errand: Errand, origin: str = "") -> tuple[OneOff, Secret | None]:
        """The one-off; and where somebody will talk to it the word that attaches, once, within a minute.

        Raises InvalidInput with every fault, Conflict without a release or with too many one-offs, NotFound for a process
        that does not run, RolloutFailed and PlatformFault when it does not start.
        """
        errand.checked(self.limits.seconds)
        there = self._there(app)
        word = Secret(secrets.token_urlsafe(32)) if errand.attach or errand.inside else None
        with self.ledger.begin() as tx:
            release = _current(tx, app)
            if len(self._active(tx.one_offs.all(app.id), there)) >= self.limits.most:
                raise Conflict(
                    f"{app.name} has {self.limits.most} one-offs already, the most at a time",
                    hint=f"To see them: wherry ps -a {app.name}; to stop one: wherry ps:stop run.N -a {app.name}",
                )
            one_off = tx.one_offs.add(self._draft(actor, app, release, errand), digest(word) if word else None)
            after = {"name": one_off.name, "release": release.name, "command": printable(errand.command, 500)}
            inside = {"inside": errand.inside} if errand.inside else {}
            tx.events.add(one_off.created_at, actor, app.name, "one-off.run", after={**after, **inside}, origin=origin)
        if word is None:
            self._launch(task(app, release, one_off))
        return one_off, word

    def of_app(self, app: App) -> list[tuple[OneOff, TaskState | None]]:
        """Those that wait for their client or run; with None those that wait."""
        there = {each.id: each for each in self.runtime.tasks(app.id)}
        with self.ledger.begin(read_only=True) as tx:
            known = tx.one_offs.all(app.id)
        return [(each, there.get(each.id)) for each in self._active(known, there) if not each.inside]

    def stop(self, actor: Actor, app: App, name: str, origin: str = "") -> OneOff:
        """Raises NotFound."""
        with self.ledger.begin() as tx:
            try:
                one_off = tx.one_offs.by_name(app.id, name)
            except NotFound:
                raise NotFound(
                    f"{app.name} runs no '{printable(name, 60)}'", hint=f"To see what runs: wherry ps -a {app.name}"
                ) from None
            tx.one_offs.remove(one_off.id)
            tx.events.add(self.clock.now(), actor, app.name, "one-off.stop", before={"name": name}, origin=origin)
        self.runtime.end([one_off.id])
        return one_off

    def _there(self, app: App) -> Mapping[int, TaskState]:
        """What runs, where that may matter: the runtime need not be asked while there are few."""
        with self.ledger.begin(read_only=True) as tx:
            few = len(tx.one_offs.all(app.id)) < self.limits.most
        return {} if few else {each.id: each for each in self.runtime.tasks(app.id)}

    def _active(self, known: Sequence[OneOff], there: Mapping[int, TaskState]) -> list[OneOff]:
        expired = self.clock.now() - PATIENCE
        return [
            each
            for each in known
            if (there[each.id].stage is not Stage.ENDED if each.id in there else each.created_at > expired)
        ]

    def _draft(self, actor: Actor, app: App, release: Release, errand: Errand) -> OneOff:
        now = self.clock.now()
        return OneOff(
            id=0,
            app_id=app.id,
            actor=actor,
            release=release.number,
            type=errand.type or RUN,
            number=secrets.choice(NUMBERS),
            size=(errand.size or DEFAULT_SIZE).lower(),
            command=errand.command,
            env=errand.env or {},
            attach=errand.attach or bool(errand.inside),
            tty=errand.tty and (errand.attach or bool(errand.inside)),
            created_at=now,
            until=now + timedelta(seconds=errand.seconds or self.limits.seconds),
            inside=errand.inside,
        )

    def _launch(self, wanted: Task) -> None:
        try:
            self.runtime.launch(wanted)
        except WherryError:
            with self.ledger.begin() as tx:
                tx.one_offs.remove(wanted.id)
            raise


@dataclass(frozen=True)
class AttachOneOff:
    """What the terminal door is given."""

    ledger: Ledger
    runtime: Tasks
    clock: Clock

    def open(self, word: Secret) -> tuple[OneOff, Session]:
        """Starts what the word attaches to. Raises Unauthorized for a word that is unknown, used or expired, and what
        Tasks raises.
        """
        with self.ledger.begin() as tx:
            one_off = tx.one_offs.take(digest(word))
            if one_off is None or self.clock.now() - one_off.created_at > PATIENCE:
                raise Unauthorized(
                    "this session is not known, was used, or has expired", hint="For a new one: wherry run COMMAND"
                )
            app = tx.apps.by_id(one_off.app_id)
            wanted = task(app, tx.releases.by_number(app.id, one_off.release), one_off)
        try:
            return one_off, self.runtime.enter(wanted, one_off.inside) if one_off.inside else self.runtime.attach(
                wanted
            )
        except WherryError:
            self._forget(one_off)
            raise

    def over(self, one_off: OneOff, how: Ended | None) -> None:
        """It has ended; None: its client went."""
        with self.ledger.begin() as tx:
            if tx.one_offs.remove(one_off.id):
                _tell_of_end(tx, one_off, self.clock.now(), how)

    def abandon(self, opened: datetime) -> None:
        """Whoever talked through a door that was there before this one `opened` is gone, and with them what they ran.
        Raises PlatformFault.
        """
        running = {each.id for each in self.runtime.tasks() if each.stage is Stage.RUNNING and each.since < opened}
        with self.ledger.begin(read_only=True) as tx:
            left = [each for each in tx.one_offs.all() if each.attach and each.id in running]
        self.runtime.end([each.id for each in left])
        for each in left:
            self.over(each, None)

    def _forget(self, one_off: OneOff) -> None:
        with self.ledger.begin() as tx:
            tx.one_offs.remove(one_off.id)


@dataclass(frozen=True)
class TidyOneOffs:
    """What nobody else is there to do: those that are late, that nobody came for, or that outlived their app."""

    ledger: Ledger
    runtime: Tasks
    clock: Clock

    def run(self) -> float | None:
        """Seconds until there may be something to do again; None: not before something ends or begins."""
        there = {each.id: each for each in self.runtime.tasks()}  # before the ledger: what is made is known there first
        with self.ledger.begin(read_only=True) as tx:
            known = {each.id: each for each in tx.one_offs.all()}
        now = self.clock.now()
        due = {each.id: _due(each, there.get(each.id)) for each in known.values()}
        over = {one_off_id for one_off_id, at in due.items() if at <= now}
        self.runtime.end([each for each in there if each in over or each not in known])
        with self.ledger.begin() as tx:
            for each in over:
                if tx.one_offs.remove(each):
                    state = there.get(each)
                    _tell_of_end(tx, known[each], now, state.ended if state else None)
        later = [at for one_off_id, at in due.items() if one_off_id not in over]
        return (min(later) - now).total_seconds() if later else None


def _due(one_off: OneOff, state: TaskState | None) -> datetime:
    """When it has to be cleared away."""
    if state is None or state.stage is Stage.MADE:
        return one_off.created_at + STARTS_WITHIN
    return min(one_off.until, state.since + LINGER) if state.stage is Stage.ENDED else one_off.until


def _current(tx: Transaction, app: App) -> Release:
    release = tx.releases.current(app.id)
    if release is None:
        raise Conflict(f"{app.name} has no release that runs yet", hint="Push first: git push wherry main")
    return release


def _tell_of_end(tx: Transaction, one_off: OneOff, now: datetime, how: Ended | None) -> None:
    app = tx.apps.by_id(one_off.app_id)
    reason = {"code": how.code, **({"detail": how.detail} if how.detail else {})} if how else {"stopped": True}
    tx.events.add(now, one_off.actor, app.name, "one-off.end", after={"name": one_off.name, **reason}, origin="worker")
