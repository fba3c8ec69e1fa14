"""/pipelines and /pipeline-couplings: apps in stages."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object, only
from wherry.api.desk import Call
from wherry.api.shapes import Json, time
from wherry.domain.errors import InvalidInput
from wherry.domain.model import App
from wherry.domain.pipelines import Coupling, Pipeline
from wherry.domain.roles import Permission


def index(call: Call) -> ResponseReturnValue:
    """`?eq[name]=` finds one by name, as Heroku's clients ask."""
    wanted = request.args.get("eq[name]")
    found = call.world.pipelines.all(call.actor)
    return jsonify([_shown(call, each) for each in found if wanted in (None, each.name, _id(call, each))])


def create(call: Call) -> ResponseReturnValue:
    body = json_object(request)
    only(body, ("name", "owner", "generation"))
    owner = body.get("owner")
    own = call.desk.ids.of("account", call.actor.id)
    if owner is not None and (not isinstance(owner, dict) or owner.get("id", own) != own):
        raise InvalidInput("no pipeline", problems=["owner: must be yourself; there are no teams here"])
    return jsonify(_shown(call, call.world.pipelines.create(call.actor, body.get("name"), call.origin))), 201


def show(call: Call, pipeline: str) -> ResponseReturnValue:
    return jsonify(_shown(call, found_pipeline(call, pipeline)))


def update(call: Call, pipeline: str) -> ResponseReturnValue:
    found = found_pipeline(call, pipeline)
    body = json_object(request)
    only(body, ("name",))
    if body.get("name") is not None:
        found = call.world.pipelines.rename(call.actor, found, body["name"], call.origin)
    return jsonify(_shown(call, found))


def remove(call: Call, pipeline: str) -> ResponseReturnValue:
    """The apps in it stay."""
    found = found_pipeline(call, pipeline)
    call.world.pipelines.remove(call.actor, found, call.origin)
    return jsonify(_shown(call, found))


def couplings(call: Call, pipeline: str) -> ResponseReturnValue:
    found = found_pipeline(call, pipeline)
    return jsonify([_coupled(call, found, each) for each in call.world.pipelines.couplings(found)])


def of_app(call: Call, app: App) -> ResponseReturnValue:
    """Which pipeline it is in."""
    return jsonify(_coupled(call, *call.world.pipelines.of_app(call.actor, app)))


def couple(call: Call) -> ResponseReturnValue:
    """`pipeline` and `app` by id or name, `stage`."""
    body = json_object(request)
    only(body, ("pipeline", "app", "stage"))
    found = found_pipeline(call, reference(body.get("pipeline"), "pipeline"))
    app = call.desk.app(call.actor, reference(body.get("app"), "app"), Permission.ADMIN)
    return jsonify(
        _coupled(call, found, call.world.pipelines.couple(call.actor, found, app, body.get("stage"), call.origin))
    ), 201


def coupling(call: Call, coupling: str) -> ResponseReturnValue:
    return jsonify(_coupled(call, *_coupling(call, coupling)))


def move(call: Call, coupling: str) -> ResponseReturnValue:
    """To another `stage`."""
    pipeline, found = _coupling(call, coupling)
    body = json_object(request)
    only(body, ("stage",))
    return jsonify(
        _coupled(call, pipeline, call.world.pipelines.move(call.actor, found, body.get("stage"), call.origin))
    )


def uncouple(call: Call, coupling: str) -> ResponseReturnValue:
    pipeline, found = _coupling(call, coupling)
    call.world.pipelines.uncouple(call.actor, found, call.origin)
    return jsonify(_coupled(call, pipeline, found))


def found_pipeline(call: Call, text: str) -> Pipeline:
    return call.world.pipelines.find(call.actor, call.desk.ids.number("pipeline", text), text)


def _coupling(call: Call, text: str) -> tuple[Pipeline, Coupling]:
    return call.world.pipelines.coupling(call.actor, call.desk.ids.number("coupling", text) or 0)


def reference(value: object, key: str) -> str:
    """Heroku's clients send an id, a name, or an object with one of them."""
    if isinstance(value, dict):
        value = value.get("id") or value.get("name")
    if isinstance(value, str) and value:
        return value
    raise InvalidInput("the request is not right", problems=[f"{key}: must be an id or a name"])


def _id(call: Call, pipeline: Pipeline) -> str:
    return call.desk.ids.of("pipeline", pipeline.id)


def _shown(call: Call, pipeline: Pipeline) -> Json:
    return {
        "created_at": time(pipeline.created_at),
        "id": _id(call, pipeline),
        "name": pipeline.name,
        "owner": {"id": call.desk.ids.of("account", pipeline.owner.id), "type": "user"},
        "updated_at": time(pipeline.updated_at),
    }


def _coupled(call: Call, pipeline: Pipeline, coupling: Coupling) -> Json:
    return {
        "app": {"id": call.desk.ids.of("app", coupling.app_id), "name": coupling.app_name},
        "created_at": time(coupling.created_at),
        "id": call.desk.ids.of("coupling", coupling.id),
        "pipeline": {"id": _id(call, pipeline), "name": pipeline.name},
        "stage": str(coupling.stage),
        "updated_at": time(coupling.created_at),
    }
