"""Under which names an app answers: the record that proves one, and the forms that add, check and remove it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template
from werkzeug.wrappers import Response as AnyResponse

from wherry.api.hostnames import canonical
from wherry.domain.model import App
from wherry.domain.roles import Permission
from wherry.portal.forms import Answer, Refused, answered, done, typed
from wherry.portal.session import actor, origin
from wherry.portal.shelf import Shelf
from wherry.portal.text import clean
from wherry.wiring.web import World


@dataclass(frozen=True)
class DomainPages:
    world: World

    def show(self, name: str) -> str:
        return self._page(Shelf(self.world).app(name, Permission.VIEW))

    def add(self, name: str) -> Answer:
        app = Shelf(self.world).app(name, Permission.OPERATE)

        def act() -> AnyResponse:
            made = self.world.domains.add(actor(), app, canonical(typed("hostname").strip()), origin())
            more = "" if made.verified_at else " Its owner has to be proved: set the record that stands beside it."
            return done(f"{clean(made.name)} is added.{more}", "domains", name=app.name)

        return answered("add", act, lambda no: self._page(app, no))

    def check(self, name: str) -> Answer:
        app = Shelf(self.world).app(name, Permission.OPERATE)

        def act() -> AnyResponse:
            known = self.world.domains.of_app(app)
            found = self.world.domains.check(self.world.domains.named(known, app, typed("hostname")))
            said = "is proved and answers" if found.verified_at else f"still waits: {found.reason}"
            return done(clean(f"{found.name} {said}"), "domains", name=app.name)

        return answered("domains", act, lambda no: self._page(app, no))

    def remove(self, name: str) -> Answer:
        app = Shelf(self.world).app(name, Permission.OPERATE)

        def act() -> AnyResponse:
            gone = self.world.domains.remove(actor(), app, typed("hostname"), origin())
            return done(f"{clean(gone.name)} is removed.", "domains", name=app.name)

        return answered("domains", act, lambda no: self._page(app, no))

    def _page(self, app: App, refused: Refused | None = None) -> str:
        found = [(each, self.world.domains.proof(each)) for each in self.world.domains.of_app(app)]
        url = self.world.settings.app_url(app.name)
        return render_template("portal/domains.html", app=app, domains=found, url=url, refused=refused)
