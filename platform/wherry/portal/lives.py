"""The forms at the two ends of an app's life: one makes it, the other destroys it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import InvalidInput
from wherry.domain.model import App
from wherry.domain.roles import Permission
from wherry.portal.forms import Answer, Refused, answered, done, typed
from wherry.portal.session import actor, origin
from wherry.portal.shelf import Shelf
from wherry.wiring.web import World


@dataclass(frozen=True)
class LifePages:
    world: World

    def ask_create(self) -> str:
        self.world.access.admit(actor(), Permission.CREATE)
        return self._begin()

    def create(self) -> Answer:
        """Leads to the app's page, which tells what to type next. Without a name, one is made up."""
        self.world.access.admit(actor(), Permission.CREATE)

        def act() -> AnyResponse:
            made = self.world.create.run(actor(), typed("name").strip() or None, origin())
            return done(f"{made.name} is made.", "app", name=made.name)

        return answered("create", act, self._begin)

    def ask_destroy(self, name: str) -> str:
        return self._end(Shelf(self.world).app(name, Permission.ADMIN))

    def destroy(self, name: str) -> Answer:
        """`confirm`: the app's name, typed."""
        app = Shelf(self.world).app(name, Permission.ADMIN)

        def act() -> AnyResponse:
            if typed("confirm").strip() != app.name:
                raise InvalidInput(f"the name typed is not {app.name}: nothing was destroyed")
            self.world.destroy.run(actor(), app, origin())
            return done(f"{app.name} is destroyed.", "apps")

        return answered("destroy", act, lambda no: self._end(app, no))

    def _begin(self, refused: Refused | None = None) -> str:
        return render_template("portal/create.html", refused=refused)

    def _end(self, app: App, refused: Refused | None = None) -> str:
        return render_template("portal/destroy.html", app=app, refused=refused)
