"""/apps/APP/config-vars: the whole config, and changes of it."""

from __future__ import annotations

from typing import cast

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object
from wherry.api.desk import Call
from wherry.domain.model import App

RELEASE_HEADER = "Wherry-Release"


def show(call: Call, app: App) -> ResponseReturnValue:
    return _shown(call, app)


def change(call: Call, app: App) -> ResponseReturnValue:
    """null unsets. The header names the release that the change made; it is absent when none was."""
    changes = cast("dict[str, str | None]", json_object(request))  # the flow checks each value
    release = call.world.configure.run(call.actor, app, changes, call.origin)
    response = _shown(call, app)
    if release:
        response.headers[RELEASE_HEADER] = release.name
    return response


def _shown(call: Call, app: App) -> Response:
    return jsonify({key: value.reveal() for key, value in call.world.configure.show(app).items()})
