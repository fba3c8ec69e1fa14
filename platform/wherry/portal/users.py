"""Everybody's accounts, for an admin of the platform: the list, and the forms that add and remove one."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import InvalidInput
from wherry.domain.model import User
from wherry.domain.roles import Permission
from wherry.domain.secret import Secret
from wherry.portal.forms import Answer, Refused, answered, done, queried, typed
from wherry.portal.session import actor, origin
from wherry.portal.text import clean
from wherry.wiring.web import World

USERS = 100


@dataclass(frozen=True)
class UserPages:
    world: World

    def show(self) -> str:
        """`?after=`: the number of the account that the page before ended with."""
        self._admit()
        return self._page()

    def add(self) -> Answer:
        """The login link is shown in this answer, and never again."""
        self._admit()

        def act() -> Answer:
            made = self.world.people.add(actor(), typed("email").strip(), typed("admin") == "yes", origin())
            return self._page(made=made), 201

        return answered("add", act, self._page)

    def ask_remove(self, number: int) -> str:
        self._admit()
        return self._ask(self.world.people.user(number))

    def remove(self, number: int) -> Answer:
        """`confirm`: the address, typed."""
        self._admit()
        user = self.world.people.user(number)

        def act() -> AnyResponse:
            if typed("confirm").strip() != user.actor.email:
                raise InvalidInput(f"the address typed is not {user.actor.email}: nothing was removed")
            self.world.people.remove(actor(), user, origin())
            return done(f"The account {clean(user.actor.email)} is removed.", "users")

        return answered("remove", act, lambda no: self._ask(user, no))

    def _admit(self) -> None:
        self.world.access.admit(actor(), Permission.PLATFORM)

    def _ask(self, user: User, refused: Refused | None = None) -> str:
        return render_template("portal/user_remove.html", user=user, refused=refused)

    def _page(self, refused: Refused | None = None, made: tuple[User, Secret] | None = None) -> str:
        everybody = self.world.people.all()
        after = queried("after") if refused is None and made is None else None
        begin = next((place for place, each in enumerate(everybody, 1) if each.actor.id == after), 0)
        shown = everybody[begin : begin + USERS]
        return render_template(
            "portal/users.html",
            users=shown,
            more=shown[-1].actor.id if begin + USERS < len(everybody) else None,
            refused=refused,
            made=made[0] if made else None,
            link=url_for("portal.login", token=made[1].reveal(), _external=True) if made else "",
        )
