"""/apps/APP/buildpack-installations: the buildpacks that an app asks for, in their order."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object, only
from wherry.api.desk import Call
from wherry.domain.errors import InvalidInput
from wherry.domain.model import App


def index(call: Call, app: App) -> ResponseReturnValue:
    return jsonify([call.shapes.buildpack(place, each) for place, each in enumerate(call.world.buildpacks.show(app))])


def put(call: Call, app: App) -> ResponseReturnValue:
    """`updates`: the whole list of {buildpack}; an empty one leaves it to detection."""
    body = json_object(request)
    only(body, ("updates",))
    updates = body.get("updates")
    if not isinstance(updates, list) or not all(isinstance(each, dict) for each in updates):
        raise InvalidInput("the buildpacks were not changed", problems=["updates: must be a list of {buildpack}"])
    for each in updates:
        only(each, ("buildpack",))
    after = call.world.buildpacks.set(call.actor, app, [each.get("buildpack") for each in updates], call.origin)
    return jsonify([call.shapes.buildpack(place, each) for place, each in enumerate(after)])
