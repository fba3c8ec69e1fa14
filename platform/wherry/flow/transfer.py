"""An app gets another owner, one of its collaborators; who owned it stays, with the role admin. The owner offers it, and
the recipient takes it; an admin of the platform gives it at once. (As at Heroku, where only an app of a team changes
hands without its recipient's word, and PATCH /apps/APP knows no owner.)
"""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import Conflict, Forbidden
from wherry.domain.model import Actor, App
from wherry.domain.people import email_address
from wherry.domain.roles import Role
from wherry.domain.transfers import Transfer, TransferState, answer
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock


@dataclass(frozen=True)
class TransferApp:
    ledger: Ledger
    clock: Clock

    def run(self, actor: Actor, app: App, email: object, origin: str = "") -> App:
        """At once. Raises Forbidden unless by an admin of the platform, Conflict for who is no collaborator."""
        address = email_address(email)
        if not actor.admin:
            self._refuse_others(actor, app)
            raise Forbidden(
                f"{app.name} is not given to anybody who has not taken it",
                hint=f"To offer it: wherry apps:transfer {address} -a {app.name}",
            )
        self.offer(actor, app, address, origin)
        with self.ledger.begin(read_only=True) as tx:
            return tx.apps.by_id(app.id)

    def offer(self, actor: Actor, app: App, email: object, origin: str = "") -> Transfer:
        """Instead of an offer that waits already. Raises as `run`."""
        address, now = email_address(email), self.clock.now()
        self._refuse_others(actor, app)
        with self.ledger.begin() as tx:
            recipient = _recipient(tx, app, address)
            offered = tx.transfers.add(app.id, app.owner, recipient, now)
            tx.events.add(now, actor, app.name, "transfer.create", after={"to": recipient.email}, origin=origin)
            if not actor.admin:
                return offered
            self._hand_over(tx, actor, app, recipient, origin)
            return tx.transfers.close(offered.id, TransferState.ACCEPTED, now)

    def may_offer(self, actor: Actor, app: App) -> bool:
        return actor.admin or actor.id == app.owner.id

    def of(self, actor: Actor) -> list[Transfer]:
        """Those that the actor made or was made, oldest first."""
        with self.ledger.begin(read_only=True) as tx:
            return tx.transfers.of_user(actor.id)

    def answer(self, actor: Actor, transfer: Transfer, state: object, origin: str = "") -> Transfer:
        """By its recipient. Raises InvalidInput, Forbidden, NotFound, Conflict for one that has ended, or whose ground is
        gone.
        """
        wanted, now = answer(state), self.clock.now()
        if actor.id != transfer.recipient.id:
            raise Forbidden(f"only {transfer.recipient.email} takes or declines it")
        with self.ledger.begin() as tx:
            app = _still_offered(tx, transfer)
            if wanted is TransferState.ACCEPTED:
                self._hand_over(tx, actor, app, _recipient(tx, app, transfer.recipient.email), origin)
                return tx.transfers.close(transfer.id, wanted, now)
            before = {"to": transfer.recipient.email}
            tx.events.add(now, actor, app.name, "transfer.decline", before, origin=origin)
            return tx.transfers.close(transfer.id, wanted, now)

    def withdraw(self, actor: Actor, transfer: Transfer, origin: str = "") -> None:
        """By who made it. Raises Forbidden, NotFound, Conflict."""
        if actor.id != transfer.owner.id:
            raise Forbidden(f"only {transfer.owner.email} takes it back", hint="To refuse it, decline it.")
        with self.ledger.begin() as tx:
            app, before = _still_offered(tx, transfer), {"to": transfer.recipient.email}
            tx.events.add(self.clock.now(), actor, app.name, "transfer.cancel", before, origin=origin)
            tx.transfers.remove(transfer.id)

    def _refuse_others(self, actor: Actor, app: App) -> None:
        if not self.may_offer(actor, app):
            raise Forbidden(f"only the owner of {app.name} gives it away", hint=f"It is {app.owner.email}.")

    def _hand_over(self, tx: Transaction, actor: Actor, app: App, new: Actor, origin: str) -> None:
        now = self.clock.now()
        tx.collaborators.remove(app.id, new.id)
        tx.collaborators.put(app.id, app.owner, frozenset({Role.VIEW, Role.ADMIN}), now)
        tx.apps.set_owner(app.id, new, now)
        change = {"owner": app.owner.email}, {"owner": new.email}
        tx.events.add(now, actor, app.name, "app.transfer", *change, origin)


def _recipient(tx: Transaction, app: App, address: str) -> Actor:
    """Raises Conflict, in the same words for an address that nobody has."""
    new = tx.accounts.by_email(address)
    if new is None or not tx.collaborators.of(app.id, new.id):
        raise Conflict(
            f"{app.name} goes to one of its collaborators only",
            hint=f"First: wherry access:add {address} -a {app.name}",
        )
    return new


def _still_offered(tx: Transaction, transfer: Transfer) -> App:
    """Raises NotFound, Conflict."""
    now_is = tx.transfers.by_id(transfer.id)
    app = tx.apps.by_id(now_is.app_id)
    if now_is.state is not TransferState.PENDING:
        raise Conflict(f"this transfer of {app.name} was {now_is.state}")
    if app.owner.id != now_is.owner.id:
        raise Conflict(f"{app.name} has another owner by now", hint="Whoever it is can offer it again.")
    return app
