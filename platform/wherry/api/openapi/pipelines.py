"""Pipelines: apps in stages, and the promotion of one image from one to others."""

from __future__ import annotations

from wherry.api.openapi.notation import TEXT, TIME, UUID, Schema, answer, body, many, maybe, named, word
from wherry.api.openapi.operation import Operation, gets

_NAMED = answer(id=UUID, name=TEXT)
_REF = answer(id=UUID)
_STAGE = word("test", "review", "development", "staging", "production")
_EITHER: Schema = {"anyOf": [TEXT, body("id", id=TEXT), body("name", name=TEXT)]}
"""An id, a name, or an object with one of them, as Heroku's clients send it."""
_APP = body("app", app=_EITHER)

OBJECTS: dict[str, Schema] = {
    "Pipeline": answer(created_at=TIME, id=UUID, name=TEXT, owner=answer(id=UUID, type=word("user")), updated_at=TIME),
    "PipelineCoupling": answer(app=_NAMED, created_at=TIME, id=UUID, pipeline=_NAMED, stage=_STAGE, updated_at=TIME),
    "Promotion": answer(
        created_at=TIME,
        id=UUID,
        pipeline=_REF,
        source=answer(app=_REF, release=_REF),
        status=word("pending", "completed"),
        updated_at=TIME,
    ),
    "PromotionTarget": answer(
        app=_REF,
        error_message=maybe(TEXT),
        id=UUID,
        pipeline_promotion=_REF,
        release=maybe(_REF),
        status=word("pending", "succeeded", "failed"),
    ),
}
OPERATIONS: dict[str, Operation] = {
    "GET /pipelines": gets(many(named("Pipeline"))),
    "POST /pipelines": Operation(
        body("name", name=TEXT, owner=maybe(body(id=TEXT, type=TEXT)), generation=maybe(body())),
        {201: named("Pipeline")},
    ),
    "GET /pipelines/<pipeline>": gets(named("Pipeline")),
    "PATCH /pipelines/<pipeline>": Operation(body(name=maybe(TEXT)), {200: named("Pipeline")}),
    "DELETE /pipelines/<pipeline>": gets(named("Pipeline")),
    "GET /pipelines/<pipeline>/pipeline-couplings": gets(many(named("PipelineCoupling"))),
    "GET /apps/<app>/pipeline-couplings": gets(named("PipelineCoupling")),
    "POST /pipeline-couplings": Operation(
        body("pipeline", "app", "stage", pipeline=_EITHER, app=_EITHER, stage=_STAGE), {201: named("PipelineCoupling")}
    ),
    "GET /pipeline-couplings/<coupling>": gets(named("PipelineCoupling")),
    "PATCH /pipeline-couplings/<coupling>": Operation(body("stage", stage=_STAGE), {200: named("PipelineCoupling")}),
    "DELETE /pipeline-couplings/<coupling>": gets(named("PipelineCoupling")),
    "POST /pipeline-promotions": Operation(
        body("source", pipeline=maybe(_EITHER), source=_APP, targets=maybe(many(_APP))), {201: named("Promotion")}
    ),
    "GET /pipeline-promotions/<promotion>": gets(named("Promotion")),
    "GET /pipeline-promotions/<promotion>/promotion-targets": gets(many(named("PromotionTarget"))),
}
