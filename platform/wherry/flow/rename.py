"""Another name for an app: its URL changes, its repository, releases and processes stay."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.model import Actor, App, JobKind
from wherry.domain.names import app_name
from wherry.flow.lanes import app_lane
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock


@dataclass(frozen=True)
class RenameApp:
    ledger: Ledger
    clock: Clock

    def run(self, actor: Actor, app: App, name: object, origin: str = "") -> App:
        """Raises InvalidInput or Conflict for the name."""
        chosen = app_name(name)
        if chosen == app.name:
            return app
        now = self.clock.now()
        with self.ledger.begin() as tx:
            renamed = tx.apps.rename(app.id, chosen, now)
            tx.events.add(now, actor, chosen, "app.rename", {"name": app.name}, {"name": chosen}, origin)
            tx.jobs.add(JobKind.CONVERGE, app.id, app_lane(app.id))
        return renamed
