"""Where an app's log is sent on to: add a drain, list them, take one away."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Protocol

from wherry.domain.drains import MOST_DRAINS, Drain, Target, target
from wherry.domain.errors import Conflict, NotFound
from wherry.domain.model import Actor, App
from wherry.domain.secret import Secret
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock


class Reach(Protocol):
    def check(self, target: Target) -> None:
        """Raises InvalidInput for a host that is unknown, or leads where tenants' data must not go."""


@dataclass(frozen=True)
class Drains:
    ledger: Ledger
    clock: Clock
    reach: Reach

    def of_app(self, app: App) -> list[Drain]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.drains.of_app(app.id)

    def add(self, actor: Actor, app: App, url: object, origin: str = "") -> Drain:
        """Raises InvalidInput, Conflict for one that is there already or too many."""
        parts = target(url)
        self.reach.check(parts)
        now, secret = self.clock.now(), Secret(str(url))
        with self.ledger.begin() as tx:
            there = tx.drains.of_app(app.id)
            if any(each.url.reveal() == secret.reveal() for each in there):
                raise Conflict(f"{app.name} has this drain already", hint=f"To see them: wherry drains -a {app.name}")
            if len(there) >= MOST_DRAINS:
                raise Conflict(f"{app.name} has {MOST_DRAINS} drains, which is the most")
            drain = tx.drains.add(app.id, f"d.{uuid.uuid4()}", secret, now)
            after = {"drain": drain.token, "to": parts.place}
            tx.events.add(now, actor, app.name, "drain.add", after=after, origin=origin)
        return drain

    def remove(self, actor: Actor, app: App, drain: Drain, origin: str = "") -> None:
        """Raises NotFound when somebody was faster."""
        now = self.clock.now()
        with self.ledger.begin() as tx:
            if drain.id not in {each.id for each in tx.drains.of_app(app.id)}:
                raise NotFound(f"{app.name} has no such drain")
            tx.drains.remove(drain.id)
            before = {"drain": drain.token, "to": target(drain.url.reveal()).place}
            tx.events.add(now, actor, app.name, "drain.remove", before=before, origin=origin)
