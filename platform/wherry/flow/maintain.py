"""Maintenance: visitors get a page that says so; the processes go on. No release; the route alone changes, as it does
for a custom domain.
"""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import NotFound
from wherry.domain.model import Actor, App, Job, JobKind
from wherry.flow.lanes import route_lane
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Cancel, Clock, Router


@dataclass(frozen=True)
class Maintain:
    ledger: Ledger
    clock: Clock

    def run(self, actor: Actor, app: App, on: bool, origin: str = "") -> App:
        now = self.clock.now()
        with self.ledger.begin() as tx:
            before = tx.apps.by_id(app.id).maintenance
            if before != on:
                tx.apps.set_maintenance(app.id, on)
                tx.jobs.add(JobKind.ROUTE, app.id, route_lane(app.id))
                was, now_is = {"maintenance": before}, {"maintenance": on}
                tx.events.add(now, actor, app.name, "app.maintenance", was, now_is, origin)
            return tx.apps.by_id(app.id)


@dataclass(frozen=True)
class Reroute:
    """The job. A rollout under way publishes its own route, with what the ledger says then."""

    ledger: Ledger
    router: Router

    def run(self, job: Job, cancel: Cancel) -> None:
        """Raises PlatformFault, and the job stays."""
        try:
            with self.ledger.begin(read_only=True) as tx:
                app = tx.apps.by_id(job.subject)
        except NotFound:
            pass  # destroyed meanwhile
        else:
            self.router.amend(app.id, app.domains, maintenance=app.maintenance)
        with self.ledger.begin() as tx:
            tx.jobs.finish(job)
