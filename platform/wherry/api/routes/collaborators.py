"""/apps/APP/collaborators: who else may do what with it."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api import shapes_people as people
from wherry.api.body import flag, json_object, only
from wherry.api.desk import Call
from wherry.domain.model import App, Collaborator
from wherry.flow.share import missing


def index(call: Call, app: App) -> ResponseReturnValue:
    """The owner first. Nothing here opens a door: login links are shown to who invites, once."""
    others = [people.collaborator(call.shapes, app, each) for each in call.world.share.all(app)]
    return jsonify([people.owner(call.shapes, app), *others])


def show(call: Call, app: App, collaborator: str) -> ResponseReturnValue:
    return jsonify(people.collaborator(call.shapes, app, _found(call, app, collaborator)))


def create(call: Call, app: App) -> ResponseReturnValue:
    """`user`: an address; `permissions`: of view, operate, deploy, admin. Who is new here gets a `login_url`."""
    body = json_object(request)
    only(body, ("user", "permissions", "silent", "force"))
    made, link = call.world.share.add(
        call.actor, app, body.get("user"), body.get("permissions"), call.origin, flag(body, "force")
    )
    shown = people.collaborator(call.shapes, app, made)
    return jsonify({**shown, "login_url": people.login_url(call.shapes, link) if link else None}), 201


def change(call: Call, app: App, collaborator: str) -> ResponseReturnValue:
    """`permissions`: instead of those that there are."""
    body = json_object(request)
    only(body, ("permissions",))
    found = _found(call, app, collaborator)
    after = call.world.share.change(call.actor, app, found, body.get("permissions"), call.origin)
    return jsonify(people.collaborator(call.shapes, app, after))


def remove(call: Call, app: App, collaborator: str) -> ResponseReturnValue:
    found = _found(call, app, collaborator)
    call.world.share.remove(call.actor, app, found, call.origin)
    return jsonify(people.collaborator(call.shapes, app, found))


def _found(call: Call, app: App, text: str) -> Collaborator:
    """By its id, the user's id or address; of this app only. Raises NotFound."""
    ids = call.desk.ids
    for each in call.world.share.all(app):
        known = (ids.of("collaborator", each.id), ids.of("account", each.user.id), each.user.email.lower())
        if text.lower() in known:
            return each
    raise missing(app, text)
