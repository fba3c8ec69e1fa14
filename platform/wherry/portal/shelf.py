"""What the pages show, read from the ledger and the runtime through the actor who asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from wherry.domain.app_json import NOTHING
from wherry.domain.config import Config
from wherry.domain.difference import Change, Shape, difference, shape_of
from wherry.domain.errors import NotFound, PlatformFault
from wherry.domain.formation import Formation, Scale, settled, without_load
from wherry.domain.model import App, Build, Event, Release
from wherry.domain.paging import Window
from wherry.domain.retention import Standing
from wherry.domain.roles import Permission
from wherry.domain.workload import Process, ProcessState
from wherry.flow.draft import newest
from wherry.flow.ledger_ports import Transaction
from wherry.portal.session import actor
from wherry.wiring.web import World

EVENTS = 50
APPS = 50


@dataclass(frozen=True, slots=True)
class Running:
    """What the runtime answered; `fault` says why it did not."""

    processes: tuple[Process, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """An app as one row. `up` is None when the runtime does not answer."""

    app: App
    url: str
    current: Release | None
    newest: Release | None
    wanted: int
    up: int | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """All of one app's page."""

    summary: Summary
    formation: Formation
    running: Running
    releases: Sequence[Release]
    builds: Sequence[Build]
    config: Sequence[str]
    events: Sequence[Event]
    may: frozenset[Permission]
    standing: Standing

    def can_roll_back(self, release: Release) -> bool:
        return Permission.CHANGE in self.may and self.standing.eligible(release)


@dataclass(frozen=True)
class Shelf:
    world: World

    def app(self, name: str, permission: Permission) -> App:
        """Raises NotFound, for a foreign app too; Forbidden for one that may be seen without this permission."""
        return self.world.access.app(actor(), name, permission)

    def may(self, app: App) -> frozenset[Permission]:
        """What the page may offer."""
        return self.world.access.permissions(actor(), app)

    def release(self, name: str, number: int, permission: Permission) -> tuple[App, Release]:
        """Raises NotFound, Forbidden."""
        app = self.app(name, permission)
        with self.world.ledger.begin(read_only=True) as tx:
            return app, tx.releases.by_number(app.id, number)

    def build(self, name: str, number: int, permission: Permission) -> tuple[App, Build]:
        """Raises NotFound, for another app's build too; Forbidden."""
        app = self.app(name, permission)
        with self.world.ledger.begin(read_only=True) as tx:
            build = tx.builds.by_id(number)
        if build.app_id != app.id:
            raise NotFound(f"no build {number} of {app.name}")
        return app, build

    def summaries(self, after: str) -> tuple[list[Summary], str, str]:
        """A page of the apps that the actor may see, by name, those beyond the name `after`; the name after which the
        next page begins, if there is one; the runtime's fault, if it has one. As many queries for many as for one.
        """
        found = self.world.access.page(actor(), Window(after or None, after=True, most=APPS + 1))
        apps, ids = found[:APPS], [app.id for app in found[:APPS]]
        running = self._running(None) if apps else Running()
        with self.world.ledger.begin(read_only=True) as tx:
            newests, currents = tx.releases.newests(ids), tx.releases.currents(ids)
            formations = tx.apps.formations(ids)
        shown = [
            self._summed(app, newests.get(app.id), currents.get(app.id), formations.get(app.id, {}), running)[0]
            for app in apps
        ]
        return shown, apps[-1].name if len(found) > APPS else "", running.fault

    def overview(self, app: App) -> Overview:
        running, may = self._running(app.id), self.may(app)
        with self.world.ledger.begin(read_only=True) as tx:
            summary, formation = self._summary(tx, app, running)
            return Overview(
                summary,
                formation,
                running,
                tx.releases.page(app.id, Window(most=25, descending=True)),
                tx.builds.of_app(app.id, limit=10),
                sorted(tx.apps.config(app.id)) if Permission.CONFIG in may else (),
                tx.events.of_app(app.name, limit=15),
                may,
                tx.releases.standing(app.id, self.world.rollback.keep),
            )

    def activity(self, app: App, before: int | None) -> tuple[list[Event], int | None]:
        """A page of events, the newest first: those before the one with that number. And where the next page begins."""
        window = Window(before, after=True, most=EVENTS + 1, descending=True)
        with self.world.ledger.begin(read_only=True) as tx:
            found = tx.events.page(app.id, window)
        return found[:EVENTS], found[EVENTS - 1].id if len(found) > EVENTS else None

    def changes(self, app: App, release: Release, since: int | None) -> tuple[Release | None, list[Change]]:
        """What `release` changed, against an earlier one; without `since`, against the one before it that served. Raises
        NotFound.
        """
        with self.world.ledger.begin(read_only=True) as tx:
            before = (
                tx.releases.before(app.id, release.number) if since is None else tx.releases.by_number(app.id, since)
            )
        by_load = self.world.runtime.by_load
        nothing = Shape("", "", "", (), {}, {}, images={}, wishes=NOTHING)
        was = shape_of(before, by_load) if before else nothing
        return before, difference(was, shape_of(release, by_load))

    def eligible(self, app: App, release: Release) -> bool:
        """Whether it can be gone back to."""
        with self.world.ledger.begin(read_only=True) as tx:
            return tx.releases.standing(app.id, self.world.rollback.keep).eligible(release)

    def config(self, app: App) -> Config:
        with self.world.ledger.begin(read_only=True) as tx:
            return tx.apps.config(app.id)

    def release_of(self, build: Build) -> Release | None:
        with self.world.ledger.begin(read_only=True) as tx:
            return tx.releases.of_build(build.id)

    def newest(self, app: App) -> Release | None:
        with self.world.ledger.begin(read_only=True) as tx:
            return newest(tx, app.id)

    def running(self, app: App) -> Running:
        return self._running(app.id)

    def _running(self, app_id: int | None) -> Running:
        """A page is still worth reading while the engine is down, so its fault is shown and not raised."""
        try:
            found = self.world.runtime.processes(app_id)
        except PlatformFault as error:
            return Running(fault=error.message)
        return Running(tuple(sorted(found, key=lambda each: (each.release, each.type, each.index))))

    def _summary(self, tx: Transaction, app: App, running: Running) -> tuple[Summary, Formation]:
        return self._summed(app, newest(tx, app.id), tx.releases.current(app.id), tx.apps.formation(app.id), running)

    def _summed(
        self, app: App, latest: Release | None, current: Release | None, kept: Formation, running: Running
    ) -> tuple[Summary, Formation]:
        formation = settled(kept, latest.image.processes if latest else ())
        if not self.world.runtime.by_load:
            formation = without_load(formation)
        up = Counter(
            each.type
            for each in running.processes
            if each.app_id == app.id and each.state is ProcessState.UP and current and each.release == current.number
        )
        summary = Summary(
            app=app,
            url=self.world.settings.app_url(app.name),
            current=current,
            newest=latest,
            wanted=sum(_wanted(scale, up[type]) for type, scale in formation.items()),
            up=None if running.fault else up.total(),
            changed_at=max(app.updated_at, latest.created_at) if latest else app.updated_at,
        )
        return summary, formation


def _wanted(scale: Scale, up: int) -> int:
    """Where load decides, as many as there are, within its bounds."""
    return scale.autoscale.within(up) if scale.autoscale and scale.quantity else scale.quantity
