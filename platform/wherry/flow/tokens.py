"""Tokens, sessions and one-time links: how they come, are listed, and go. Only their digests are kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from wherry.domain.errors import Conflict, InvalidInput, NotFound
from wherry.domain.model import Actor, CredentialKind, Token
from wherry.domain.people import token_description
from wherry.domain.roles import EVERYTHING, said, scopes_named
from wherry.domain.secret import Secret
from wherry.flow.access import Access, digest
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.flow.ports import Clock

LINK_LIVES = timedelta(hours=24)
SESSION_LIVES = timedelta(hours=12)
MOST_TOKENS = 200
LONGEST = 10 * 365 * 24 * 3600
BY_LINK = "by a login link"


def new_secret() -> Secret:
    """256 random bits."""
    return Secret(secrets.token_urlsafe(32))


def new_link(tx: Transaction, actor: Actor, clock: Clock) -> Secret:
    """Bound to the account, good for one login within a day."""
    link, now = new_secret(), clock.now()
    tx.accounts.add_token(actor, digest(link), "login link", now, now + LINK_LIVES, kind=CredentialKind.LINK)
    return link


@dataclass(frozen=True)
class Tokens:
    """A user's own ones."""

    ledger: Ledger
    clock: Clock

    def all(self, actor: Actor) -> list[Token]:
        with self.ledger.begin(read_only=True) as tx:
            return tx.accounts.tokens(actor.id)

    def create(
        self, actor: Actor, description: object, scopes: object, expires_in: object, origin: str = ""
    ) -> tuple[Token, Secret]:
        """`scopes`: a list of names, None for all; `expires_in`: seconds, None for never. Raises InvalidInput, and
        Conflict for too many.
        """
        words = token_description(description)
        wanted = EVERYTHING if scopes is None else scopes_named(scopes)
        seconds = _seconds(expires_in)
        now, secret = self.clock.now(), new_secret()
        with self.ledger.begin() as tx:
            tx.accounts.drop_expired(actor.id, now)
            if len(tx.accounts.tokens(actor.id)) >= MOST_TOKENS:
                raise Conflict(
                    f"you have {MOST_TOKENS} tokens, which is the most", hint="Revoke some: wherry authorizations"
                )
            until = now + timedelta(seconds=seconds) if seconds else None
            token = tx.accounts.add_token(actor, digest(secret), words, now, until, scopes=wanted)
            tx.events.add(now, actor, "", "token.create", after=_told(token), origin=origin)
        return token, secret

    def of_link(self, access: Access, link: Secret, whence: str, origin: str = "") -> tuple[Actor, Token, Secret]:
        """A token for the login link, which is used up by this. Raises Unauthorized, TooManyTries."""
        actor, now, secret = access.log_in(link, whence), self.clock.now(), new_secret()
        with self.ledger.begin() as tx:
            token = tx.accounts.add_token(actor, digest(secret), BY_LINK, now)
            tx.events.add(now, actor, "", "token.create", after=_told(token), origin=origin)
        return actor, token, secret

    def revoke(self, actor: Actor, token_id: int, origin: str = "") -> Token:
        """Raises NotFound, for another user's too."""
        with self.ledger.begin() as tx:
            token = tx.accounts.revoke_token(actor.id, token_id)
            if token is None:
                raise _missing()
            tx.events.add(self.clock.now(), actor, "", "token.revoke", before=_told(token), origin=origin)
        return token

    def describe(self, actor: Actor, token_id: int, description: object, origin: str = "") -> Token:
        """Says anew what it is for. Raises InvalidInput, NotFound."""
        words, now = token_description(description), self.clock.now()
        with self.ledger.begin() as tx:
            old = next((each for each in tx.accounts.tokens(actor.id) if each.id == token_id), None)
            token = tx.accounts.describe_token(actor.id, token_id, words, now)
            if old is None or token is None:
                raise _missing()
            if words != old.description:
                tx.events.add(now, actor, "", "token.update", before=_told(old), after=_told(token), origin=origin)
        return token

    def rotate(self, actor: Actor, token_id: int, origin: str = "") -> tuple[Token, Secret]:
        """Another secret for the same token; the old one is worth nothing from now on. Raises NotFound."""
        now, secret = self.clock.now(), new_secret()
        with self.ledger.begin() as tx:
            token = tx.accounts.renew_token(actor.id, token_id, digest(secret), now)
            if token is None:
                raise _missing()
            tx.events.add(now, actor, "", "token.rotate", before=_told(token), after=_told(token), origin=origin)
        return token, secret


@dataclass(frozen=True)
class Sessions:
    """The portal's: kept here, so that one can be ended while its cookie lives on."""

    ledger: Ledger
    clock: Clock

    def begin(self, actor: Actor, origin: str = "") -> Secret:
        """With the scopes of the token that it began with."""
        key, now = new_secret(), self.clock.now()
        with self.ledger.begin() as tx:
            tx.accounts.drop_expired(actor.id, now)
            kind = CredentialKind.SESSION
            tx.accounts.add_token(actor, digest(key), "portal", now, now + SESSION_LIVES, kind, actor.scopes)
            tx.events.add(now, actor, "", "session.begin", origin=origin)
        return key

    def actor(self, key: Secret) -> Actor | None:
        with self.ledger.begin(read_only=True) as tx:
            return tx.accounts.by_token(digest(key), self.clock.now(), CredentialKind.SESSION)

    def end(self, actor: Actor, key: Secret, origin: str = "") -> None:
        with self.ledger.begin() as tx:
            tx.accounts.drop_token(digest(key))
            tx.events.add(self.clock.now(), actor, "", "session.end", origin=origin)


def _seconds(given: object) -> int | None:
    """Heroku's command line sends the text that its user typed."""
    if given is None:
        return None
    if isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) < 10:
        given = int(given)
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= LONGEST:
        return given
    raise InvalidInput("no token was made", problems=[f"expires_in: must be seconds, from 1 to {LONGEST}"])


def _told(token: Token) -> dict[str, object]:
    until = token.expires_at.isoformat() if token.expires_at else None
    return {"token": token.id, "description": token.description, "scope": said(token.scopes), "expires_at": until}


def _missing() -> NotFound:
    return NotFound("you have no such token", hint="To see yours: wherry authorizations")
