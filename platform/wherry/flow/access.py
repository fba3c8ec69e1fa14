"""Who is asking, and what they may do: the one gate under every door. What no rule allows is denied (domain/roles.py)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from wherry.domain.errors import Forbidden, NotFound, Unauthorized
from wherry.domain.model import Actor, App
from wherry.domain.names import APP_NAME
from wherry.domain.paging import Window
from wherry.domain.roles import ALL_ROLES, RULES, Permission, Role, granted, of_app, roles_allow, said, scopes_allow
from wherry.domain.secret import Secret
from wherry.domain.text import printable
from wherry.flow.attempts import Attempts
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock


def digest(token: Secret) -> str:
    """What the ledger keeps of a token; a token has 256 random bits, so a plain hash is enough."""
    return sha256(token.reveal().encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Access:
    """An object is loaded through its actor, so a foreign one and a missing one look the same."""

    ledger: Ledger
    clock: Clock
    attempts: Attempts

    def actor(self, token: Secret, whence: str) -> Actor:
        """`whence`: the address that it came from. Raises Unauthorized, TooManyTries. No token at all is no try: git
        asks without one first.
        """
        actor, wanted = None, digest(token)
        if token.reveal():
            self.attempts.check(whence, wanted)
            with self.ledger.begin(read_only=True) as tx:
                actor = tx.accounts.by_token(wanted, self.clock.now())
            self.attempts.told(whence, wanted, actor is not None)
        if actor is None:
            raise Unauthorized(
                "this token is not known", hint="To get one on the platform's machine: wherry auth:token"
            )
        return actor

    def log_in(self, link: Secret, whence: str) -> Actor:
        """The actor of a one-time login link, which is used up by this. Raises Unauthorized, TooManyTries."""
        wanted = digest(link)
        self.attempts.check(whence, wanted)
        with self.ledger.begin() as tx:
            actor = tx.accounts.use_once(wanted, self.clock.now())
        if actor is None:
            self.attempts.failed(whence)
            raise Unauthorized("this login link was used or has expired", hint="For a new one: wherry login:link")
        return actor

    def app(self, actor: Actor, name: str, permission: Permission) -> App:
        """By name or by id, as Heroku's clients ask. Raises NotFound for one that the actor may not see, Forbidden for
        one that they may see without having this permission. A token's scope is asked first: it says nothing about
        which apps there are.
        """
        _must_be_in_scope(actor, permission)
        with self.ledger.begin(read_only=True) as tx:
            app = _find(tx, name)
            roles = _roles(tx, actor, app) if app else frozenset()
        if app is None or not roles:
            raise NotFound(f"no app '{printable(name, 60)}'", hint="To see yours: wherry apps")
        _must_have(roles, app, permission)
        return app

    def demand(self, actor: Actor, app: App, permission: Permission) -> None:
        """One more permission, for a part of what a route does. Raises Forbidden."""
        _must_be_in_scope(actor, permission)
        _must_have(self.roles(actor, app), app, permission)

    def admit(self, actor: Actor, permission: Permission) -> None:
        """To what is of no app. Raises Forbidden."""
        _must_be_in_scope(actor, permission)
        if of_app(permission) or (RULES[permission].platform and not actor.admin):
            raise Forbidden("only an admin of the platform may do this", hint="To see who you are: wherry whoami")

    def admits(self, actor: Actor, permission: Permission) -> bool:
        """For pages that offer only what will be taken."""
        try:
            self.admit(actor, permission)
        except Forbidden:
            return False
        return True

    def apps(self, actor: Actor) -> list[App]:
        """All that the actor may see, by name."""
        with self.ledger.begin(read_only=True) as tx:
            return tx.apps.all() if actor.admin else tx.apps.seen_by(actor.id)

    def page(self, actor: Actor, window: Window, by_id: bool = False, own: bool = False) -> list[App]:
        """A part of `apps`; `own`: of those that the actor owns or has a role on, also for an admin."""
        with self.ledger.begin(read_only=True) as tx:
            return tx.apps.page(None if actor.admin and not own else actor.id, window, by_id)

    def among(self, actor: Actor, ids: Collection[int], names: Collection[str]) -> list[App]:
        """Of `apps`, those with one of these ids or names."""
        with self.ledger.begin(read_only=True) as tx:
            return tx.apps.among(None if actor.admin else actor.id, ids, names)

    def roles(self, actor: Actor, app: App) -> frozenset[Role]:
        """Without any, the actor may not know of the app."""
        with self.ledger.begin(read_only=True) as tx:
            return _roles(tx, actor, app)

    def permissions(self, actor: Actor, app: App) -> frozenset[Permission]:
        """All that the actor may do with the app: for pages that offer only what will be taken."""
        return frozenset(each for each in granted(self.roles(actor, app)) if scopes_allow(actor.scopes, each))


def _find(tx: Transaction, name: str) -> App | None:
    try:
        if name.isascii() and name.isdecimal() and len(name) < 10:
            return tx.apps.by_id(int(name))
        return tx.apps.by_name(name) if APP_NAME.fullmatch(name) else None
    except NotFound:
        return None


def _roles(tx: Transaction, actor: Actor, app: App) -> frozenset[Role]:
    if actor.admin or app.owner.id == actor.id:
        return ALL_ROLES
    found = tx.collaborators.of(app.id, actor.id)
    return found.roles if found else frozenset()


def _must_be_in_scope(actor: Actor, permission: Permission) -> None:
    if not scopes_allow(actor.scopes, permission):
        needed = said(RULES[permission].scopes) or "global"
        raise Forbidden(
            f"this token's scope is {said(actor.scopes)}; this needs one of: {needed}",
            hint="For another token: wherry authorizations:create -s SCOPE",
        )


def _must_have(roles: frozenset[Role], app: App, permission: Permission) -> None:
    if not roles_allow(roles, permission):
        needed = said(RULES[permission].roles - {Role.ADMIN}) or "admin"
        raise Forbidden(
            f"this needs the role {needed.replace(', ', ' or ')} on {app.name}; yours: {said(roles)}",
            hint=f"Who can give it to you: wherry access -a {app.name}",
        )
