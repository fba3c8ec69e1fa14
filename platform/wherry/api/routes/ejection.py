"""/apps/APP/ejection, /apps/APP/adoption: an app leaves as plain files, and comes back with its history. Our own."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object, only
from wherry.api.desk import Call
from wherry.domain import history
from wherry.domain.model import App


def show(call: Call, app: App, kind: str) -> ResponseReturnValue:
    """Files by their names, which hold the config in clear. The app goes on as it was."""
    return jsonify({"to": kind, "files": call.world.eject.run(call.actor, app, kind, call.origin)})


def adopt(call: Call, app: App) -> ResponseReturnValue:
    """`history`: the document that an ejection has. Only for an app that has no release yet."""
    body = json_object(request)
    only(body, ("history",))
    done = call.world.adopt.run(call.actor, app, history.read(body.get("history")), call.origin)
    with call.world.ledger.begin(read_only=True) as tx:
        standing = tx.releases.standing(app.id, call.world.rollback.keep)
    release = call.shapes.release(app, done.release, standing)
    return jsonify({"release": release, "without_image": list(done.without_image)}), 201
