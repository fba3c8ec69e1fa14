"""Processes are restarted: the wish is written down, and converge fulfils it, whatever happens to a worker meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import NotFound
from wherry.domain.formation import Scale, settled, without_load
from wherry.domain.model import Actor, App, JobKind
from wherry.domain.restarts import EVERYTHING, Target, process_named, type_named
from wherry.flow.draft import newest
from wherry.flow.lanes import app_lane
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock


@dataclass(frozen=True)
class RestartProcesses:
    """`by_load`: as for scaling."""

    ledger: Ledger
    clock: Clock
    by_load: bool = False

    def everything(self, actor: Actor, app: App, origin: str = "") -> None:
        with self.ledger.begin() as tx:
            self._wish(tx, actor, app, EVERYTHING, False, origin)

    def type(self, actor: Actor, app: App, name: str, origin: str = "", *, stop_first: bool = False) -> None:
        """Raises NotFound for a type that the app does not have."""
        with self.ledger.begin() as tx:
            self._wish(tx, actor, app, type_named(name, self._formation(tx, app)), stop_first, origin)

    def process(self, actor: Actor, app: App, name: str, origin: str = "", *, stop_first: bool = False) -> None:
        """`name`: web.1. Raises NotFound for one that the formation does not ask for."""
        with self.ledger.begin() as tx:
            self._wish(tx, actor, app, process_named(name, self._formation(tx, app)), stop_first, origin)

    def _formation(self, tx: Transaction, app: App) -> dict[str, Scale]:
        release = newest(tx, app.id)
        if release is None:
            raise NotFound(f"{app.name} has no processes yet", hint="To make some: git push wherry main")
        found = settled(tx.apps.formation(app.id), release.image.processes)
        return found if self.by_load else without_load(found)

    def _wish(self, tx: Transaction, actor: Actor, app: App, target: Target, stop_first: bool, origin: str) -> None:
        tx.restarts.wish(app.id, target, stop_first)
        tx.jobs.add(JobKind.CONVERGE, app.id, app_lane(app.id))
        action = "process.stop" if stop_first else "process.restart"
        tx.events.add(self.clock.now(), actor, app.name, action, after={"process": str(target)}, origin=origin)
