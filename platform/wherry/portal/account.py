"""One's own account: the name, tokens and SSH keys. A token is shown in the answer that makes it, and never again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import render_template, request
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.model import Token
from wherry.domain.roles import Permission, Scope
from wherry.domain.secret import Secret
from wherry.portal.forms import Answer, Refused, answered, done, typed
from wherry.portal.session import actor, origin
from wherry.portal.text import clean
from wherry.wiring.web import World

DAY = 24 * 3600


@dataclass(frozen=True)
class AccountPages:
    world: World

    def show(self) -> str:
        self._admit()
        return self._page()

    def name(self) -> Answer:
        self._admit()

        def act() -> AnyResponse:
            user = self.world.people.name(actor(), typed("name"), origin())
            return done(f"You are called {clean(user.name) or clean(user.actor.email)}.", "account")

        return answered("name", act, self._page)

    def add_token(self) -> Answer:
        self._admit()

        def act() -> Answer:
            scopes = request.form.getlist("scope") or None
            made, secret = self.world.tokens.create(actor(), typed("description"), scopes, _seconds(), origin())
            return self._page(made=(made, secret)), 201

        return answered("token", act, self._page)

    def revoke_token(self) -> Answer:
        self._admit()

        def act() -> AnyResponse:
            gone = self.world.tokens.revoke(actor(), _id("token"), origin())
            return done(f"Token {gone.id} opens nothing any more.", "account")

        return answered("tokens", act, self._page)

    def rotate_token(self) -> Answer:
        self._admit()

        def act() -> Answer:
            return self._page(made=self.world.tokens.rotate(actor(), _id("token"), origin())), 201

        return answered("tokens", act, self._page)

    def add_key(self) -> Answer:
        self._admit()

        def act() -> AnyResponse:
            added = self.world.keys.add(actor(), typed("public_key"), origin())
            return done(f"The key {added.key.fingerprint} opens git over SSH.", "account")

        return answered("key", act, self._page)

    def remove_key(self) -> Answer:
        self._admit()

        def act() -> AnyResponse:
            gone = self.world.keys.remove(actor(), _id("key"), origin())
            return done(f"The key {gone.key.fingerprint} opens nothing any more.", "account")

        return answered("keys", act, self._page)

    def _admit(self) -> None:
        self.world.access.admit(actor(), Permission.ACCOUNT)

    def _page(self, refused: Refused | None = None, made: tuple[Token, Secret] | None = None) -> str:
        who = actor()
        return render_template(
            "portal/account.html",
            user=self.world.people.user(who.id),
            tokens=self.world.tokens.all(who),
            keys=self.world.keys.of(who),
            scopes=[str(each) for each in Scope],
            made=made[0] if made else None,
            secret=made[1].reveal() if made else "",
            refused=refused,
        )


def _seconds() -> int | None:
    """The form asks for days. Raises InvalidInput."""
    text = typed("days").strip()
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= 3650:
        raise InvalidInput("no token was made", problems=["days: must be a whole number from 1 to 3650, or nothing"])
    return int(text) * DAY


def _id(kind: str) -> int:
    """Raises NotFound."""
    text = typed("id")
    if not re.fullmatch("[0-9]{1,15}", text):
        raise NotFound(f"you have no such {kind}")
    return int(text)
