"""Somebody reads the values of config: handed out only with an event that says who did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from wherry.domain.config import Config
from wherry.domain.model import Actor, App, Release
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock

ACTION = "config.read"
CHANGED = "config.change"
ONCE_WITHIN = timedelta(minutes=1)
"""A client that asks again and again, as pages and scripts do, writes one event in this time, for what it read."""


@dataclass(frozen=True)
class RevealConfig:
    ledger: Ledger
    clock: Clock

    def run(self, actor: Actor, app: App, origin: str = "", release: Release | None = None) -> Config:
        """The app's config, or that of one of its releases."""
        what = {"release": release.name} if release else {}
        with self.ledger.begin(read_only=True) as tx:
            known = self._known(tx, actor, app, what)
            config = release.config if release else tx.apps.config(app.id)
        if known:
            return config
        with self.ledger.begin() as tx:
            if not self._known(tx, actor, app, what):
                tx.events.add(self.clock.now(), actor, app.name, ACTION, after=what, origin=origin)
            return release.config if release else tx.apps.config(app.id)

    def _known(self, tx: Transaction, actor: Actor, app: App, what: dict[str, str]) -> bool:
        """Whoever changes the config is shown all of it, so that event says it already."""
        since = self.clock.now() - ONCE_WITHIN
        return any(
            each.actor == actor.email and (each.after == what or (each.action == CHANGED and not what))
            for action in (ACTION, CHANGED)
            for each in tx.events.since(app.id, action, since)
        )
