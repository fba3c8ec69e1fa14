"""An app's collaborators: who else may do what with it."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import Conflict, NotFound
from wherry.domain.model import Actor, App, Collaborator
from wherry.domain.people import email_address
from wherry.domain.roles import Role, roles_named, said
from wherry.domain.secret import Secret
from wherry.domain.text import printable
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock
from wherry.flow.tokens import new_link

USUAL = [str(Role.VIEW), str(Role.DEPLOY), str(Role.OPERATE)]
MOST = 500


@dataclass(frozen=True)
class ShareApp:
    ledger: Ledger
    clock: Clock

    def all(self, app: App) -> list[Collaborator]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.collaborators.of_app(app.id)

    def add(
        self, actor: Actor, app: App, email: object, roles: object = None, origin: str = "", force: bool = False
    ) -> tuple[Collaborator, Secret | None]:
        """A person without an account gets one, and a login link that comes back here once: nobody else ever sees it.

        Raises InvalidInput; Conflict for one who is there already, and, unless `force`, for one that only somebody
        else vouches for: who invites an address could have kept its link.
        """
        address, wanted, now = email_address(email), roles_named(USUAL if roles is None else roles), self.clock.now()
        with self.ledger.begin() as tx:
            known = tx.accounts.by_email(address)
            link = None
            if known is None:
                known, link = self._invited(tx, actor, address)
            else:
                _refuse_there(tx, app, known)
                _refuse_doubtful(tx, actor, known, force)
            if len(tx.collaborators.of_app(app.id)) >= MOST:
                raise Conflict(f"{app.name} has {MOST} collaborators, which is the most")
            made = tx.collaborators.put(app.id, known, wanted, now)
            after = {"user": known.email, "roles": said(wanted)}
            tx.events.add(now, actor, app.name, "collaborator.add", after=after, origin=origin)
        return made, link

    def change(self, actor: Actor, app: App, who: Collaborator, roles: object, origin: str = "") -> Collaborator:
        """Other roles instead of those that there are. Raises InvalidInput, NotFound."""
        wanted, now = roles_named(roles), self.clock.now()
        with self.ledger.begin() as tx:
            before = tx.collaborators.of(app.id, who.user.id)
            if before is None:
                raise missing(app, who.user.email)
            after = tx.collaborators.put(app.id, who.user, wanted, now)
            told = [{"user": each.user.email, "roles": said(each.roles)} for each in (before, after)]
            tx.events.add(now, actor, app.name, "collaborator.change", told[0], told[1], origin)
        return after

    def remove(self, actor: Actor, app: App, who: Collaborator, origin: str = "") -> None:
        """Raises NotFound."""
        with self.ledger.begin() as tx:
            if not tx.collaborators.remove(app.id, who.user.id):
                raise missing(app, who.user.email)
            before = {"user": who.user.email, "roles": said(who.roles)}
            tx.events.add(self.clock.now(), actor, app.name, "collaborator.remove", before, origin=origin)

    def _invited(self, tx: Transaction, actor: Actor, address: str) -> tuple[Actor, Secret]:
        if tx.accounts.was_removed(address) and not actor.admin:
            raise Conflict(
                f"the account {printable(address, 80)} was removed",
                hint="Only an admin of the platform brings it back: wherry users:add",
            )
        vouched = "" if actor.admin else actor.email
        user = tx.accounts.ensure(address, admin=False, now=self.clock.now(), invited_by=vouched)
        return user, new_link(tx, user, self.clock)


def missing(app: App, who: str) -> NotFound:
    return NotFound(
        f"{app.name} has no collaborator '{printable(who, 80)}'", hint=f"To see them: wherry access -a {app.name}"
    )


def _refuse_there(tx: Transaction, app: App, known: Actor) -> None:
    if known.id == app.owner.id:
        raise Conflict(f"{app.name} is theirs: {known.email} may do everything")
    if tx.collaborators.of(app.id, known.id):
        raise Conflict(
            f"{known.email} is a collaborator of {app.name} already",
            hint=f"To give other roles: wherry access:update {known.email} -p ... -a {app.name}",
        )


def _refuse_doubtful(tx: Transaction, actor: Actor, known: Actor, force: bool) -> None:
    by = tx.accounts.user(known.id).invited_by
    if by and by.lower() != actor.email.lower() and not force:
        raise Conflict(
            f"only {by}, who invited {known.email}, vouches that this account is theirs",
            hint="When you know that it is: wherry access:add --force; or have an admin vouch: wherry users:add",
        )
