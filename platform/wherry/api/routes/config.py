"""/apps/APP/config-vars: the whole config, and changes of it."""

from __future__ import annotations

from typing import cast

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object
from wherry.api.desk import Call
from wherry.domain.config import Config
from wherry.domain.model import App

RELEASE_HEADER = "Wherry-Release"


def show(call: Call, app: App) -> ResponseReturnValue:
    """Who reads it stands among the events, once a minute."""
    return _shown(call.world.reveal.run(call.actor, app, call.origin))


def names(call: Call, app: App) -> ResponseReturnValue:
    """The keys without their values, in order: no reveal, so no event. Ours; shells complete from it."""
    with call.world.ledger.begin(read_only=True) as tx:
        return jsonify(sorted(tx.apps.config(app.id)))


def change(call: Call, app: App) -> ResponseReturnValue:
    """null unsets. The header names the release that the change made; it is absent when none was. The answer is the whole
    config, as Heroku's.
    """
    changes = cast("dict[str, str | None]", json_object(request))  # the flow checks each value
    release = call.world.configure.run(call.actor, app, changes, call.origin)
    response = _shown(call.world.reveal.run(call.actor, app, call.origin))
    if release:
        response.headers[RELEASE_HEADER] = release.name
    return response


def _shown(config: Config) -> Response:
    return jsonify({key: value.reveal() for key, value in config.items()})
