"""Make what runs what the ledger says: the current release at its formation, routed, and nothing else of the app."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from wherry.domain.errors import NotFound, RolloutFailed
from wherry.domain.formation import Formation
from wherry.domain.model import App, Job, JobKind, Release
from wherry.domain.restarts import Wish
from wherry.domain.workload import AppRoute, Workload
from wherry.flow.draft import latest
from wherry.flow.ledger_ports import Ledger
from wherry.flow.plan import Patience, route, workloads
from wherry.flow.ports import Cancel, Router, Runtime
from wherry.flow.prune import PruneImages

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Converge:
    ledger: Ledger
    runtime: Runtime
    router: Router
    patience: Patience
    prune: PruneImages

    def run(self, job: Job, cancel: Cancel) -> None:
        """Raises PlatformFault, and the job stays. Cancelled while old requests end, which may take long, it makes room for
        what waits, a rollback say, and takes the old away later.
        """
        done = True
        try:
            app, release, formation, wishes = self._load(job.subject)
        except NotFound:
            pass  # destroyed meanwhile: its own job takes everything away
        else:
            done = self._bring(app, release, formation, wishes, cancel)
            if done:
                self.prune.app(app.id)
        with self.ledger.begin() as tx:
            tx.jobs.finish(job)
            if not done:
                tx.jobs.add(JobKind.CONVERGE, job.subject, job.lane)

    def _load(self, app_id: int) -> tuple[App, Release | None, Formation, list[Wish]]:
        with self.ledger.begin(read_only=True) as tx:
            app, release = tx.apps.by_id(app_id), tx.releases.current(app_id)
            return app, release, tx.apps.formation(app_id), tx.restarts.of_app(app_id)

    def _bring(
        self, app: App, release: Release | None, formation: Formation, wishes: Sequence[Wish], cancel: Cancel
    ) -> bool:
        """False when it was cancelled before the old were gone."""
        if release is None:
            self.router.publish(AppRoute(app.id, (app.name,), maintenance=app.maintenance, domains=app.domains))
            self.runtime.retire(app.id, ())
            return True
        wanted = workloads(app, release, formation, self.patience, wishes)
        all_started = self._start(app, release, wanted) or self._start_each(app, release, wanted)
        return self._route_and_retire(app, release, wanted, cancel, by_name=not all_started)

    def _start(self, app: App, release: Release, wanted: Sequence[Workload]) -> bool:
        try:
            self.runtime.start(wanted, lambda line: log.info("%s: %s", app.name, line))
        except RolloutFailed as error:
            log.warning("%s %s: %s", app.name, release.name, " | ".join(error.lines()))
            return False
        return True

    def _start_each(self, app: App, release: Release, wanted: Sequence[Workload]) -> bool:
        """One broken type must not hold back the others; what it has serves on, and what it lacks is tried for ever."""
        failed = [each for each in wanted if not self._start(app, release, [each])] if len(wanted) > 1 else wanted
        if failed:
            try:
                self.runtime.insist(failed)
            except RolloutFailed as error:
                log.warning("%s %s: %s", app.name, release.name, " | ".join(error.lines()))
        return not failed

    def _route_and_retire(
        self, app: App, release: Release, wanted: Sequence[Workload], cancel: Cancel, *, by_name: bool
    ) -> bool:
        kept = {(each.type, index) for each in wanted for index in range(1, each.most + 1)}
        processes = [each for each in self.runtime.processes(app.id) if (each.type, each.index) in kept]
        self.router.publish(route(latest(self.ledger, app), release, processes))
        ended = self.router.drain(app.id, release.number, self.patience.drain, cancel)
        if cancel.cancelled and not ended:
            return False
        self.runtime.retire(app.id, wanted, by_name=by_name)
        return True
