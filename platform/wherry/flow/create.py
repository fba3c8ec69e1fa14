"""A new app: a name, an empty repository, a route that says it has nothing to show yet."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from wherry.domain.model import Actor, App, JobKind
from wherry.domain.names import app_name
from wherry.flow.lanes import app_lane
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock, Sources

_FIRST = ("amber", "brisk", "calm", "clear", "deep", "early", "fair", "fresh", "gentle", "quick", "quiet", "silver")
_SECOND = ("bay", "brook", "canal", "cove", "creek", "ferry", "harbor", "inlet", "lake", "quay", "reef", "river")


@dataclass(frozen=True)
class CreateApp:
    ledger: Ledger
    sources: Sources
    clock: Clock

    def run(self, actor: Actor, name: object = None, origin: str = "") -> App:
        """Raises InvalidInput or Conflict for the name. Without one, a name is made up."""
        chosen = app_name(name) if name is not None else _made_up()
        app = self._record(actor, chosen, origin)
        self.sources.create(app.id)
        return app

    def _record(self, actor: Actor, name: str, origin: str) -> App:
        now = self.clock.now()
        with self.ledger.begin() as tx:
            app = tx.apps.add(name, actor, now)
            tx.events.add(now, actor, name, "app.create", after={"name": name}, origin=origin)
            tx.jobs.add(JobKind.CONVERGE, app.id, app_lane(app.id))
        return app


def _made_up() -> str:
    return f"{secrets.choice(_FIRST)}-{secrets.choice(_SECOND)}-{secrets.randbelow(90000) + 10000}"
