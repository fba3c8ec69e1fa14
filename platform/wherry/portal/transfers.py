"""Apps that one was offered, to take or to decline, and apps that one offers to others."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import NotFound
from wherry.domain.roles import Permission
from wherry.domain.transfers import Transfer, TransferState
from wherry.portal.forms import Answer, Refused, answered, done, typed
from wherry.portal.session import actor, origin
from wherry.wiring.web import World

EARLIER = 50


@dataclass(frozen=True)
class TransferPages:
    """The form that offers an app stands on the page of its people (people.py)."""

    world: World

    def show(self) -> str:
        self._admit()
        return self._page()

    def answer(self, number: int) -> Answer:
        """`state`: accepted or declined."""
        self._admit()
        found = self._found(number)

        def act() -> AnyResponse:
            after = self.world.transfer.answer(actor(), found, typed("state"), origin())
            if after.state is TransferState.ACCEPTED:
                return done(f"{after.app} is yours.", "app", name=after.app)
            return done(f"You declined {after.app}.", "transfers")

        return answered("answer", act, self._page)

    def withdraw(self, number: int) -> Answer:
        self._admit()
        found = self._found(number)

        def act() -> AnyResponse:
            self.world.transfer.withdraw(actor(), found, origin())
            return done(f"{found.app} stays as it is: the offer is taken back.", "transfers")

        return answered("withdraw", act, self._page)

    def _admit(self) -> None:
        self.world.access.admit(actor(), Permission.ACCOUNT)

    def _found(self, number: int) -> Transfer:
        for each in self.world.transfer.of(actor()):
            if each.id == number:
                return each
        raise NotFound(f"you have no transfer {number}", hint="To see yours: wherry apps:transfers")

    def _page(self, refused: Refused | None = None) -> str:
        mine = self.world.transfer.of(actor())
        waiting = [each for each in mine if each.waits]
        return render_template(
            "portal/transfers.html",
            offered=[each for each in waiting if each.recipient.id == actor().id],
            offers=[each for each in waiting if each.recipient.id != actor().id],
            earlier=[each for each in reversed(mine) if not each.waits][:EARLIER],
            refused=refused,
        )
