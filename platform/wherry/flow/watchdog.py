"""A new release that crashes again and again soon after it came to serve goes back by itself."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from wherry.domain.errors import WherryError
from wherry.domain.model import App, Release
from wherry.flow.ledger_ports import Ledger
from wherry.flow.plan import Patience
from wherry.flow.ports import Clock, Runtime
from wherry.flow.rollback import RollBack

log = logging.getLogger(__name__)
CRASHES = 2


@dataclass(frozen=True)
class Watchdog:
    ledger: Ledger
    runtime: Runtime
    rollback: RollBack
    clock: Clock
    patience: Patience

    def check(self, app_id: int) -> Release | None:
        """Called when a process of the app ended by itself; the rollback's release, if there had to be one."""
        with self.ledger.begin(read_only=True) as tx:
            app = tx.apps.by_id(app_id)
            crashed = tx.releases.current(app_id)
        if crashed is None or not self._is_watched(crashed) or not self._crashes(app, crashed):
            return None
        try:
            release = self.rollback.run(
                crashed.actor, app, origin="watchdog", reason=f"{crashed.name} kept crashing", force=True
            )
        except WherryError as error:
            log.warning("%s: %s keeps crashing, and there is nothing to go back to: %s", app.name, crashed.name, error)
            return None
        log.warning("%s: %s keeps crashing; back to an earlier release as %s", app.name, crashed.name, release.name)
        return release

    def _is_watched(self, release: Release) -> bool:
        if release.finished_at is None or release.description.startswith("Rollback"):
            return False
        return self.clock.now() - release.finished_at < timedelta(seconds=self.patience.watch)

    def _crashes(self, app: App, release: Release) -> bool:
        return any(
            process.release == release.number and process.restarts >= CRASHES
            for process in self.runtime.processes(app.id)
        )
