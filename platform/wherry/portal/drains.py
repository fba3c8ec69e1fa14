"""Where an app's log is sent on to."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.drains import target
from wherry.domain.errors import NotFound
from wherry.domain.model import App
from wherry.domain.roles import Permission
from wherry.portal.forms import Answer, Refused, answered, done, typed
from wherry.portal.session import actor, origin
from wherry.portal.shelf import Shelf
from wherry.portal.text import clean
from wherry.wiring.web import World


@dataclass(frozen=True)
class DrainPages:
    """A drain's URL may hold a login: only its place is shown."""

    world: World

    def show(self, name: str) -> str:
        return self._page(Shelf(self.world).app(name, Permission.OPERATE))

    def add(self, name: str) -> Answer:
        app = Shelf(self.world).app(name, Permission.OPERATE)

        def act() -> AnyResponse:
            made = self.world.drains.add(actor(), app, typed("url").strip(), origin())
            return done(f"The log goes to {clean(target(made.url.reveal()).place)}.", "drains", name=app.name)

        return answered("add", act, lambda no: self._page(app, no))

    def remove(self, name: str) -> Answer:
        app = Shelf(self.world).app(name, Permission.OPERATE)

        def act() -> AnyResponse:
            found = [each for each in self.world.drains.of_app(app) if each.token == typed("drain")]
            if not found:
                raise NotFound(f"{app.name} has no such drain")
            self.world.drains.remove(actor(), app, found[0], origin())
            return done("The drain is removed.", "drains", name=app.name)

        return answered("drains", act, lambda no: self._page(app, no))

    def _page(self, app: App, refused: Refused | None = None) -> str:
        found = [(each, target(each.url.reveal()).place) for each in self.world.drains.of_app(app)]
        return render_template("portal/drains.html", app=app, drains=found, refused=refused)
