"""/apps/APP/webhooks, webhook-deliveries and webhook-events: who is told by HTTPS of what happens to the app."""

from __future__ import annotations

from collections.abc import Sequence

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api import shapes_webhooks as shapes
from wherry.api.body import json_object, only
from wherry.api.desk import Call
from wherry.api.shapes import Json
from wherry.api.windows import Field, Windows
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.model import App
from wherry.domain.paging import Window
from wherry.domain.text import printable
from wherry.domain.webhooks import Delivery, Outcome, Webhook

KEYS = ("url", "include", "level", "secret", "authorization")
SECRET = "Heroku-Webhook-Secret"  # noqa: S105 - the header's name


def index(call: Call, app: App) -> ResponseReturnValue:
    return jsonify([shapes.webhook(call.shapes, app, each) for each in call.world.webhooks.of_app(app)])


def show(call: Call, app: App, webhook: str) -> ResponseReturnValue:
    return jsonify(shapes.webhook(call.shapes, app, _found(call, app, webhook)))


def create(call: Call, app: App) -> ResponseReturnValue:
    """A header of the answer has the secret that signs what is sent, once."""
    body = json_object(request)
    only(body, KEYS)
    made = call.world.webhooks.add(call.actor, app, body, call.origin)
    return jsonify(shapes.webhook(call.shapes, app, made)), 201, {SECRET: made.wanted.secret.reveal()}


def change(call: Call, app: App, webhook: str) -> ResponseReturnValue:
    """What is not named stays; one that was switched off is on again."""
    body = json_object(request)
    only(body, KEYS)
    after = call.world.webhooks.change(call.actor, app, _found(call, app, webhook), body, call.origin)
    return jsonify(shapes.webhook(call.shapes, app, after))


def remove(call: Call, app: App, webhook: str) -> ResponseReturnValue:
    found = _found(call, app, webhook)
    call.world.webhooks.remove(call.actor, app, found, call.origin)
    return jsonify(shapes.webhook(call.shapes, app, found))


def deliveries(call: Call, app: App) -> ResponseReturnValue:
    """By id, which is also their order (Heroku's `seq`). `?eq[status]=`: of one status."""
    outcome, ids = _outcome(request.args.get("eq[status]")), call.desk.ids
    known = {each.id: each for each in call.world.webhooks.of_app(app)}

    def fetch(field: str, window: Window) -> list[Delivery]:
        return [each for each in call.world.webhooks.deliveries(app, window, outcome) if each.webhook_id in known]

    def shown(page: Sequence[Delivery]) -> list[Json]:
        return [shapes.delivery(call.shapes, each, known[each.webhook_id]) for each in page]

    by_id = Field[Delivery](
        lambda text: ids.known("webhook delivery", text), lambda each: ids.of("webhook delivery", each.id)
    )
    windows = Windows[Delivery]({"id": by_id, "seq": by_id, "created_at": by_id})
    return windows.answer(request.headers.get("Range"), fetch, shown)


def delivery(call: Call, app: App, delivery: str) -> ResponseReturnValue:
    found = call.world.webhooks.delivery(app, call.desk.ids.number("webhook delivery", delivery) or 0)
    return jsonify(shapes.delivery(call.shapes, found, _of(call, app, found)))


def news(call: Call, app: App) -> ResponseReturnValue:
    """What webhooks were told of lately, each piece once."""
    newest = call.world.webhooks.deliveries(app, Window(most=1000, descending=True))
    once = {each.number: each for each in newest}
    return jsonify([shapes.news(call.shapes, each) for each in reversed(once.values())])


def one_news(call: Call, app: App, event: str) -> ResponseReturnValue:
    found = call.world.webhooks.news(app, call.desk.ids.number("webhook event", event) or 0)
    return jsonify(shapes.news(call.shapes, found))


def _of(call: Call, app: App, delivery: Delivery) -> Webhook:
    for each in call.world.webhooks.of_app(app):
        if each.id == delivery.webhook_id:
            return each
    raise NotFound("no such delivery")


def _found(call: Call, app: App, webhook: str) -> Webhook:
    for each in call.world.webhooks.of_app(app):
        if webhook == call.desk.ids.of("webhook", each.id):
            return each
    raise NotFound(
        f"{app.name} has no webhook '{printable(webhook, 60)}'", hint=f"To see them: wherry webhooks -a {app.name}"
    )


def _outcome(text: str | None) -> Outcome | None:
    if text is None:
        return None
    try:
        return Outcome(text)
    except ValueError:
        known = ", ".join(str(each) for each in Outcome)
        raise InvalidInput(
            "the deliveries are not listed", problems=[f"status: there is no '{printable(text, 40)}' ({known})"]
        ) from None
