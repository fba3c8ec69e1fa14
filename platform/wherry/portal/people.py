"""Who else may do what with an app: collaborators, their roles, and the link of who is new here."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.model import App, Collaborator
from wherry.domain.roles import MEANS, Permission
from wherry.domain.secret import Secret
from wherry.domain.transfers import TransferState
from wherry.flow.share import missing
from wherry.portal.forms import Answer, Refused, answered, done, typed
from wherry.portal.session import actor, origin
from wherry.portal.shelf import Shelf
from wherry.portal.text import clean
from wherry.wiring.web import World


@dataclass(frozen=True)
class PeoplePages:
    world: World

    def show(self, name: str) -> str:
        return self._page(Shelf(self.world).app(name, Permission.VIEW))

    def add(self, name: str) -> Answer:
        """The login link of somebody new is shown in this answer, and never again."""
        app = Shelf(self.world).app(name, Permission.SHARE)

        def act() -> Answer:
            made, link = self.world.share.add(
                actor(), app, typed("email").strip(), _roles(), origin(), force=typed("force") == "yes"
            )
            if link is not None:
                return self._page(app, invited=(made, link)), 201
            return done(f"{clean(made.user.email)} is a collaborator.", "people", name=app.name)

        return answered("add", act, lambda no: self._page(app, no))

    def change(self, name: str) -> Answer:
        app = Shelf(self.world).app(name, Permission.SHARE)

        def act() -> AnyResponse:
            made = self.world.share.change(actor(), app, self._found(app), _roles(), origin())
            return done(f"{clean(made.user.email)} has other roles.", "people", name=app.name)

        return answered("change", act, lambda no: self._page(app, no))

    def remove(self, name: str) -> Answer:
        app = Shelf(self.world).app(name, Permission.SHARE)

        def act() -> AnyResponse:
            found = self._found(app)
            self.world.share.remove(actor(), app, found, origin())
            return done(f"{clean(found.user.email)} is no collaborator any more.", "people", name=app.name)

        return answered("change", act, lambda no: self._page(app, no))

    def offer(self, name: str) -> Answer:
        """To another owner, who takes it or does not; by an admin of the platform it is theirs at once."""
        app = Shelf(self.world).app(name, Permission.ADMIN)
        self.world.access.admit(actor(), Permission.ACCOUNT)

        def act() -> AnyResponse:
            made = self.world.transfer.offer(actor(), app, typed("recipient").strip(), origin())
            waits = made.state is TransferState.PENDING
            said = f"{app.name} is offered to" if waits else f"{app.name} is given to"
            return done(f"{said} {clean(made.recipient.email)}.", "people", name=app.name)

        return answered("offer", act, lambda no: self._page(app, no))

    def _found(self, app: App) -> Collaborator:
        for each in self.world.share.all(app):
            if each.user.email == typed("email"):
                return each
        raise missing(app, typed("email"))

    def _page(
        self, app: App, refused: Refused | None = None, invited: tuple[Collaborator, Secret] | None = None
    ) -> str:
        link = url_for("portal.login", token=invited[1].reveal(), _external=True) if invited else ""
        waiting = [each for each in self.world.transfer.of(actor()) if each.app_id == app.id and each.waits]
        return render_template(
            "portal/people.html",
            app=app,
            others=self.world.share.all(app),
            roles=MEANS,
            refused=refused,
            invited=invited[0].user.email if invited else "",
            offers=self._may_offer(app),
            waiting=waiting[-1] if waiting and self.world.access.admits(actor(), Permission.ACCOUNT) else None,
            link=link,
        )

    def _may_offer(self, app: App) -> bool:
        may = Shelf(self.world).may(app), self.world.access.admits(actor(), Permission.ACCOUNT)
        return Permission.ADMIN in may[0] and may[1] and self.world.transfer.may_offer(actor(), app)


def _roles() -> list[str]:
    return request.form.getlist("role")
