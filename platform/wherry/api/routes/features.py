"""/apps/APP/features: what Heroku lets an app switch on. Of its list we have preboot, which cannot be switched off."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import flag, json_object, only
from wherry.api.desk import Call
from wherry.api.shapes import Json
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.model import App
from wherry.domain.text import printable

HEROKU_EXEC = "runtime-heroku-exec"
"""What Heroku's ps:exec, ps:copy, ps:forward and ps:socks ask for first."""


def index(call: Call, app: App) -> ResponseReturnValue:
    return jsonify([call.shapes.preboot(app)])


def show(call: Call, app: App, feature: str) -> ResponseReturnValue:
    return jsonify(_named(call, app, feature))


def change(call: Call, app: App, feature: str) -> ResponseReturnValue:
    """Raises NotFound, and InvalidInput for switching preboot off."""
    shown = _named(call, app, feature)
    body = json_object(request)
    only(body, ("enabled",))
    if not flag(body, "enabled"):
        raise InvalidInput(
            "preboot cannot be switched off",
            problems=["enabled: each release of this platform starts its processes before it stops the old ones"],
        )
    return jsonify(shown)


def _named(call: Call, app: App, feature: str) -> Json:
    shown = call.shapes.preboot(app)
    if feature in (shown["name"], shown["id"]):
        return shown
    if feature == HEROKU_EXEC:
        raise NotFound(
            "Heroku Exec, which goes into a process by SSH, is not here",
            hint=f"To go inside a process: heroku run:inside web.1 bash -a {app.name}; or: wherry ps:exec -a {app.name}",
        )
    raise NotFound(f"there is no feature '{printable(feature, 60)}'", hint=f"There is: {shown['name']}")
