"""Who is told by HTTPS of what happens to an app: the forms that add, change and remove a webhook, and what it was told."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import render_template, request
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.model import App
from wherry.domain.paging import Window
from wherry.domain.roles import Permission
from wherry.domain.text import printable
from wherry.domain.webhooks import ENTITIES, Level, Outcome, Webhook, place
from wherry.portal.forms import Answer, Refused, answered, done, queried, typed
from wherry.portal.session import actor, origin
from wherry.portal.shelf import Shelf
from wherry.portal.text import clean
from wherry.wiring.web import World

DELIVERIES = 50


@dataclass(frozen=True)
class WebhookPages:
    """Operators see a webhook's URL, as at the other doors; its secret stands in the answer that makes it, and never again."""

    world: World

    def show(self, name: str) -> str:
        return self._page(self._app(name))

    def add(self, name: str) -> Answer:
        app = self._app(name)

        def act() -> Answer:
            made = self.world.webhooks.add(actor(), app, _asked(), origin())
            return self._page(app, made=made), 201

        return answered("add", act, lambda no: self._page(app, no))

    def edit(self, name: str, number: int) -> str:
        app = self._app(name)
        return self._form(app, self._found(app, number))

    def change(self, name: str, number: int) -> Answer:
        """What is left empty stays."""
        app = self._app(name)
        found = self._found(app, number)

        def act() -> AnyResponse:
            asked = {key: value for key, value in _asked().items() if value is not None}
            if typed("no_authorization") == "yes":
                asked["authorization"] = None
            after = self.world.webhooks.change(actor(), app, found, asked, origin())
            return done(f"The webhook to {_place(after)} is changed, and on.", "webhooks", name=app.name)

        return answered("change", act, lambda no: self._form(app, found, no))

    def remove(self, name: str, number: int) -> AnyResponse:
        app = self._app(name)
        found = self._found(app, number)
        self.world.webhooks.remove(actor(), app, found, origin())
        return done(f"The webhook to {_place(found)} is removed.", "webhooks", name=app.name)

    def deliveries(self, name: str) -> str:
        """`?status=`: of one outcome; `?before=`: the number of the delivery that the page before ended with."""
        app, outcome = self._app(name), _outcome(request.args.get("status", ""))
        window = Window(queried("before"), after=True, most=DELIVERIES + 1, descending=True)
        found, known = self.world.webhooks.deliveries(app, window, outcome), self._known(app)
        return render_template(
            "portal/deliveries.html",
            app=app,
            deliveries=[(each, known[each.webhook_id]) for each in found[:DELIVERIES] if each.webhook_id in known],
            earlier=found[DELIVERIES - 1].id if len(found) > DELIVERIES else None,
            outcomes=[str(each) for each in Outcome],
            outcome=outcome,
        )

    def delivery(self, name: str, number: int) -> str:
        app = self._app(name)
        found = self.world.webhooks.delivery(app, number)
        return render_template(
            "portal/delivery.html",
            app=app,
            delivery=found,
            webhook=self._found(app, found.webhook_id),
            payload=json.dumps(dict(found.payload), indent=2, sort_keys=True, ensure_ascii=False),
        )

    def _app(self, name: str) -> App:
        return Shelf(self.world).app(name, Permission.OPERATE)

    def _known(self, app: App) -> dict[int, Webhook]:
        return {each.id: each for each in self.world.webhooks.of_app(app)}

    def _found(self, app: App, number: int) -> Webhook:
        """Raises NotFound, for another app's too."""
        found = self._known(app).get(number)
        if found is None:
            raise NotFound(f"{app.name} has no webhook {number}", hint=f"To see them: wherry webhooks -a {app.name}")
        return found

    def _page(self, app: App, refused: Refused | None = None, made: Webhook | None = None) -> str:
        webhooks = list(self._known(app).values())
        secret = made.wanted.secret.reveal() if made else ""
        return render_template(
            "portal/webhooks.html", app=app, webhooks=webhooks, secret=secret, **_CHOICES, refused=refused
        )

    def _form(self, app: App, webhook: Webhook, refused: Refused | None = None) -> str:
        return render_template("portal/webhook.html", app=app, webhook=webhook, **_CHOICES, refused=refused)


_CHOICES = {
    "entities": ENTITIES,
    "levels": {str(Level.NOTIFY): "each piece of news is sent once", str(Level.SYNC): "it is sent until it is taken"},
}


def _asked() -> dict[str, object]:
    """None for a secret or header that was left empty."""
    return {
        "url": typed("url").strip(),
        "include": request.form.getlist("include"),
        "level": typed("level"),
        "secret": typed("secret") or None,
        "authorization": typed("authorization") or None,
    }


def _place(webhook: Webhook) -> str:
    return clean(place(webhook.wanted.url.reveal()).place)


def _outcome(text: str) -> Outcome | None:
    """Raises InvalidInput."""
    if not text:
        return None
    try:
        return Outcome(text)
    except ValueError:
        known = ", ".join(str(each) for each in Outcome)
        problem = f"status: there is no '{printable(text, 40)}' ({known})"
        raise InvalidInput("the deliveries are not listed", problems=[problem]) from None
