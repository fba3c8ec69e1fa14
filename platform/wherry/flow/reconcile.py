"""Finish what was cut off, and make reality match the ledger again: after a start, and every half minute."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from wherry.domain.errors import Conflict
from wherry.domain.model import App, BuildStatus, JobKind
from wherry.domain.workload import AppRoute
from wherry.flow.lanes import app_lane
from wherry.flow.ledger_ports import Ledger
from wherry.flow.plan import route
from wherry.flow.ports import Router, Runtime, Sources
from wherry.flow.release import ReleaseBuild

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reconcile:
    ledger: Ledger
    sources: Sources
    runtime: Runtime
    router: Router
    release: ReleaseBuild

    def everything(self) -> None:
        """After a start of the platform or the engine: the whole route table, every app, and strangers' remains."""
        apps = self._apps()
        self.router.replace([self._route(app) for app in apps])
        with self.ledger.begin() as tx:
            for app in apps:
                tx.jobs.add(JobKind.CONVERGE, app.id, app_lane(app.id))
            for orphan in {each.app_id for each in self.runtime.processes()} - {app.id for app in apps}:
                tx.jobs.add(JobKind.DESTROY, orphan, app_lane(orphan))
        self.pushes()

    def pushes(self) -> None:
        """A ref that moved while nobody was left to release it (the hook, the web process or the machine died)."""
        for app in self._apps():
            self._release_what_was_pushed(app)

    def app(self, app_id: int) -> None:
        with self.ledger.begin() as tx:
            tx.jobs.add(JobKind.CONVERGE, app_id, app_lane(app_id))

    def _apps(self) -> list[App]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.apps.all()

    def _route(self, app: App) -> AppRoute:
        with self.ledger.begin(read_only=True) as tx:
            current = tx.releases.current(app.id)
        if current is None:
            return AppRoute(app.id, (app.name,), maintenance=app.maintenance, domains=app.domains)
        return route(app, current, self.runtime.processes(app.id))

    def _release_what_was_pushed(self, app: App) -> None:
        self.sources.create(app.id)
        with self.ledger.begin(read_only=True) as tx:
            last = next(iter(tx.builds.of_app(app.id, limit=1)), None)
            released = last is None or last.status is not BuildStatus.SUCCEEDED or tx.releases.of_build(last.id)
        if released or last is None:
            return
        try:
            release = self.release.run(last)
        except Conflict:
            return  # its push was refused or overtaken: the ref never moved to it, or has moved on
        log.info("%s: %s was pushed and not released; it is %s now", app.name, last.source.commit[:7], release.name)
