"""/apps/APP/rebase: the newest base under an app. Our own; Heroku does this by itself, some day."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object, only
from wherry.api.desk import Call
from wherry.domain.model import App


def create(call: Call, app: App) -> ResponseReturnValue:
    """201 with the release that it made, 200 without one when the app is on the newest base already."""
    only(json_object(request), ())
    done = call.world.rebase.run(call.actor, app, call.origin)
    if done.release is None:
        return jsonify({"base": {"digest": done.base}, "release": None})
    with call.world.ledger.begin(read_only=True) as tx:
        standing = tx.releases.standing(app.id, call.world.rollback.keep)
    return jsonify({"base": {"digest": done.base}, "release": call.shapes.release(app, done.release, standing)}), 201
