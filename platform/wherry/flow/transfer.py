"""An app gets another owner, one of its collaborators; who owned it stays, with the role admin."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import Conflict, Forbidden
from wherry.domain.model import Actor, App
from wherry.domain.people import email_address
from wherry.domain.roles import Role
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock


@dataclass(frozen=True)
class TransferApp:
    ledger: Ledger
    clock: Clock

    def run(self, actor: Actor, app: App, email: object, origin: str = "") -> App:
        """Raises Forbidden unless by the owner or an admin of the platform, Conflict for who is no collaborator."""
        address, now = email_address(email), self.clock.now()
        if actor.id != app.owner.id and not actor.admin:
            raise Forbidden(f"only the owner of {app.name} gives it away", hint=f"It is {app.owner.email}.")
        with self.ledger.begin() as tx:
            new = tx.accounts.by_email(address)
            if new is None or not tx.collaborators.of(app.id, new.id):
                raise Conflict(
                    f"{app.name} goes to one of its collaborators only",
                    hint=f"First: wherry access:add {address} -a {app.name}",
                )
            tx.collaborators.remove(app.id, new.id)
            tx.collaborators.put(app.id, app.owner, frozenset({Role.VIEW, Role.ADMIN}), now)
            tx.apps.set_owner(app.id, new, now)
            change = {"owner": app.owner.email}, {"owner": new.email}
            tx.events.add(now, actor, app.name, "app.transfer", *change, origin)
            return tx.apps.by_id(app.id)
