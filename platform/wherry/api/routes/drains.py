"""/apps/APP/log-drains: where the app's log is sent on to."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object, only
from wherry.api.desk import Call
from wherry.api.shapes import Json, time
from wherry.domain.drains import Drain
from wherry.domain.errors import NotFound
from wherry.domain.model import App
from wherry.domain.text import printable


def index(call: Call, app: App) -> ResponseReturnValue:
    return jsonify([_shown(call, app, each) for each in call.world.drains.of_app(app)])


def show(call: Call, app: App, drain: str) -> ResponseReturnValue:
    return jsonify(_shown(call, app, _found(call, app, drain)))


def create(call: Call, app: App) -> ResponseReturnValue:
    body = json_object(request)
    only(body, ("url",))
    return jsonify(_shown(call, app, call.world.drains.add(call.actor, app, body.get("url"), call.origin))), 201


def remove(call: Call, app: App, drain: str) -> ResponseReturnValue:
    found = _found(call, app, drain)
    call.world.drains.remove(call.actor, app, found, call.origin)
    return jsonify(_shown(call, app, found))


def _found(call: Call, app: App, drain: str) -> Drain:
    """By id, token or URL, as Heroku's clients ask."""
    for each in call.world.drains.of_app(app):
        if drain in (call.desk.ids.of("log drain", each.id), each.token, each.url.reveal()):
            return each
    raise NotFound(
        f"{app.name} has no drain '{printable(drain, 80)}'", hint=f"To see them: wherry drains -a {app.name}"
    )


def _shown(call: Call, app: App, drain: Drain) -> Json:
    created = time(drain.created_at)
    return {
        "addon": None,
        "app": {"id": call.desk.ids.of("app", app.id), "name": app.name},
        "created_at": created,
        "id": call.desk.ids.of("log drain", drain.id),
        "token": drain.token,
        "updated_at": created,
        "url": drain.url.reveal(),
    }
