"""/pipeline-promotions: the image that serves in one app of a pipeline, released in others of it."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object, only
from wherry.api.desk import Call
from wherry.api.routes.pipelines import found_pipeline, reference
from wherry.api.shapes import Json, time
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.model import ReleaseStatus
from wherry.domain.pipelines import Promotion, Target
from wherry.domain.roles import Permission


def create(call: Call) -> ResponseReturnValue:
    """The image that serves in `source` is released in each of `targets`; without any, in the apps of the next stage."""
    body = json_object(request)
    only(body, ("pipeline", "source", "targets"))
    source = call.desk.app(call.actor, _app_in(body.get("source"), "source"), Permission.DEPLOY)
    pipeline, coupled = call.world.pipelines.of_app(call.actor, source)
    if (
        body.get("pipeline") is not None
        and found_pipeline(call, reference(body["pipeline"], "pipeline")).id != pipeline.id
    ):
        raise InvalidInput("nothing was promoted", problems=[f"source: {source.name} is in another pipeline"])
    targets = body.get("targets")
    if targets is None:
        wanted = [str(each.app_id) for each in call.world.promote.downstream(coupled)]
    elif isinstance(targets, list):
        wanted = [_app_in(each, "targets") for each in targets]
    else:
        raise InvalidInput("nothing was promoted", problems=["targets: must be a list"])
    apps = [call.desk.app(call.actor, each, Permission.DEPLOY) for each in wanted]
    made = call.world.promote.run(call.actor, pipeline, source, apps, call.origin)
    return jsonify(_promoted(call, made)), 201


def show(call: Call, promotion: str) -> ResponseReturnValue:
    return jsonify(_promoted(call, _promotion(call, promotion)))


def targets(call: Call, promotion: str) -> ResponseReturnValue:
    found = _promotion(call, promotion)
    return jsonify([_target(call, found, each) for each in found.targets])


def _promotion(call: Call, text: str) -> Promotion:
    """Of a pipeline of the actor's. Raises NotFound."""
    with call.world.ledger.begin(read_only=True) as tx:
        found = tx.pipelines.promotion(call.desk.ids.number("promotion", text) or 0)
    found_pipeline(call, call.desk.ids.of("pipeline", found.pipeline_id))
    return found


def _app_in(value: object, key: str) -> str:
    if isinstance(value, dict) and "app" in value:
        return reference(value["app"], f"{key}.app")
    raise InvalidInput("nothing was promoted", problems=[f"{key}: must hold an app, as {{app: {{id: ID}}}}"])


def _promoted(call: Call, promotion: Promotion) -> Json:
    ids = call.desk.ids
    states = {str(_target(call, promotion, each)["status"]) for each in promotion.targets}
    return {
        "created_at": time(promotion.created_at),
        "id": ids.of("promotion", promotion.id),
        "pipeline": {"id": ids.of("pipeline", promotion.pipeline_id)},
        "source": {
            "app": {"id": ids.of("app", promotion.app_id)},
            "release": {"id": ids.of("release", promotion.release_id)},
        },
        "status": "pending" if "pending" in states else "completed",
        "updated_at": time(promotion.created_at),
    }


def _target(call: Call, promotion: Promotion, target: Target) -> Json:
    ids = call.desk.ids
    status, error = "failed", target.error
    if target.release_id is not None:
        status, error = _status(call, target.release_id)
    return {
        "app": {"id": ids.of("app", target.app_id)},
        "error_message": error or None,
        "id": ids.of("promotion target", target.id),
        "pipeline_promotion": {"id": ids.of("promotion", promotion.id)},
        "release": {"id": ids.of("release", target.release_id)} if target.release_id else None,
        "status": status,
    }


def _status(call: Call, release_id: int) -> tuple[str, str]:
    try:
        with call.world.ledger.begin(read_only=True) as tx:
            release = tx.releases.by_id(release_id)
    except NotFound:
        return "failed", "the app is gone"
    return str(release.status), release.message if release.status is ReleaseStatus.FAILED else ""
