"""What an app is built on. No release and no build: the next push is built so."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wherry.domain.build_settings import stack_named
from wherry.domain.model import Actor, App
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock


@dataclass(frozen=True)
class SetStack:
    ledger: Ledger
    clock: Clock

    def run(self, actor: Actor, app: App, stack: object, origin: str = "") -> App:
        """Raises InvalidInput, and changes nothing."""
        wanted = stack_named(stack)
        now = self.clock.now()
        with self.ledger.begin() as tx:
            settings = tx.apps.by_id(app.id).build
            if settings.stack != wanted:
                tx.apps.put_build_settings(app.id, replace(settings, stack=wanted))
                before, after = {"stack": settings.stack}, {"stack": wanted}
                tx.events.add(now, actor, app.name, "stack.change", before, after, origin)
            return tx.apps.by_id(app.id)
