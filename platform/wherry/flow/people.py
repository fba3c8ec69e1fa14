"""Accounts: an admin of the platform adds and removes them, each user names themselves."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import Conflict
from wherry.domain.model import Actor, User
from wherry.domain.people import email_address, person_name
from wherry.domain.secret import Secret
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock
from wherry.flow.tokens import new_link

_SHOWN = 10


@dataclass(frozen=True)
class People:
    ledger: Ledger
    clock: Clock

    def all(self) -> list[User]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.accounts.users()

    def user(self, user_id: int) -> User:
        """Raises NotFound."""
        with self.ledger.begin(read_only=True) as tx:
            return tx.accounts.user(user_id)

    def add(self, actor: Actor, email: object, admin: bool, origin: str = "") -> tuple[User, Secret]:
        """And a login link for them, also when they are there already. Raises InvalidInput."""
        address, now = email_address(email), self.clock.now()
        with self.ledger.begin() as tx:
            there = tx.accounts.by_email(address)
            user = tx.accounts.ensure(address, admin, now)
            link = new_link(tx, user, self.clock)
            action, before = ("user.change", {"admin": there.admin}) if there else ("user.add", {})
            tx.events.add(now, actor, "", action, before, {"user": user.email, "admin": user.admin}, origin)
            return tx.accounts.user(user.id), link

    def remove(self, actor: Actor, user: User, origin: str = "") -> None:
        """Their tokens, sessions and roles are worth nothing at once. Raises Conflict for oneself, and for one who owns
        apps.
        """
        who, now = user.actor, self.clock.now()
        if who.id == actor.id:
            raise Conflict("this is you", hint="Another admin can remove your account.")
        with self.ledger.begin() as tx:
            owned = [app.name for app in tx.apps.seen_by(who.id) if app.owner.id == who.id]
            if owned:
                more = ", ..." if len(owned) > _SHOWN else ""
                raise Conflict(
                    f"{who.email} owns {', '.join(owned[:_SHOWN])}{more}",
                    hint="Give them to a collaborator first: wherry apps:transfer EMAIL -a APP; or destroy them.",
                )
            tx.collaborators.forget(who.id)
            for key in tx.ssh_keys.of_user(who.id):
                tx.ssh_keys.remove(key.id)
            tx.accounts.remove(who.id, now)
            before = {"user": who.email, "admin": who.admin}
            tx.events.add(now, actor, "", "user.remove", before, origin=origin)

    def name(self, actor: Actor, name: object, origin: str = "") -> User:
        """What to call oneself. Raises InvalidInput."""
        wanted = person_name(name)
        with self.ledger.begin() as tx:
            before = tx.accounts.user(actor.id)
            if before.name != wanted:
                tx.accounts.set_name(actor.id, wanted)
                change = {"name": before.name}, {"name": wanted}
                tx.events.add(self.clock.now(), actor, "", "account.change", *change, origin)
            return tx.accounts.user(actor.id)
