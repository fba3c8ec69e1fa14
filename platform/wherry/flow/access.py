"""Who is asking, and which apps they may see: the one gate under every door."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from wherry.domain.errors import NotFound, Unauthorized
from wherry.domain.model import Actor, App
from wherry.domain.names import APP_NAME
from wherry.domain.secret import Secret
from wherry.domain.text import printable
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock


def digest(token: Secret) -> str:
    """What the ledger keeps of a token; a token has 256 random bits, so a plain hash is enough."""
    return sha256(token.reveal().encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Access:
    """An object is loaded through its actor, so a foreign one and a missing one look the same."""

    ledger: Ledger
    clock: Clock

    def actor(self, token: Secret) -> Actor:
        """Raises Unauthorized."""
        with self.ledger.begin(read_only=True) as tx:
            actor = tx.accounts.by_token(digest(token), self.clock.now())
        if actor is None:
            raise Unauthorized(
                "this token is not known", hint="To get one on the platform's machine: wherry auth:token"
            )
        return actor

    def log_in(self, link: Secret) -> Actor:
        """The actor of a one-time login link, which is used up by this. Raises Unauthorized."""
        with self.ledger.begin() as tx:
            actor = tx.accounts.use_once(digest(link), self.clock.now())
        if actor is None:
            raise Unauthorized("this login link was used or has expired", hint="For a new one: wherry login:link")
        return actor

    def app(self, actor: Actor, name: str) -> App:
        """By name or by id, as Heroku's clients ask. Raises NotFound."""
        try:
            app = self._find(name)
        except NotFound:
            app = None
        if app is None or not may_see(actor, app):
            raise NotFound(f"no app '{printable(name, 60)}'", hint="To see yours: wherry apps")
        return app

    def apps(self, actor: Actor) -> list[App]:
        with self.ledger.begin(read_only=True) as tx:
            return [app for app in tx.apps.all() if may_see(actor, app)]

    def _find(self, name: str) -> App | None:
        with self.ledger.begin(read_only=True) as tx:
            if name.isascii() and name.isdecimal() and len(name) < 10:
                return tx.apps.by_id(int(name))
            return tx.apps.by_name(name) if APP_NAME.fullmatch(name) else None


def may_see(actor: Actor, app: App) -> bool:
    return actor.admin or app.owner.id == actor.id
