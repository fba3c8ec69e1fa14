"""What each route takes and answers. A route without a row here fails a test."""

from __future__ import annotations

from wherry.api.openapi import dynos, people, pipelines
from wherry.api.openapi.notation import (
    COUNT,
    FLAG,
    NOTHING,
    TEXT,
    TIME,
    URL,
    UUID,
    Schema,
    answer,
    body,
    by_name,
    many,
    maybe,
    named,
    word,
)
from wherry.api.openapi.operation import NO_BODY, Operation, gets, lists

_QUANTITY: Schema = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[+-]?[0-9]{1,9}$"}]}
_LEAST_MOST: Schema = {"type": "integer", "minimum": 1, "maximum": 100}
_TRIGGERS = many(body("type", "metadata", type=word("cpu", "memory", "requests"), metadata=body("value", value=COUNT)))
_SOURCE = body("url", url=URL, version=maybe(TEXT), checksum=maybe(TEXT), version_description=maybe(TEXT))

_WEBHOOK: dict[str, Schema] = {
    "url": TEXT,
    "include": many(TEXT),
    "level": word("notify", "sync"),
    "secret": maybe(TEXT),
    "authorization": maybe(TEXT),
}
_BILL: Schema = {
    "type": "object",
    "properties": {"bomFormat": word("CycloneDX"), "specVersion": TEXT, "components": many({"type": "object"})},
    "required": ["bomFormat", "specVersion"],
}
"""CycloneDX's own schema says the rest."""
_IDS_OR_NAMES: Schema = {"anyOf": [body("id", id=many(TEXT)), body("name", name=many(TEXT))]}
_CHANGE = answer(area=TEXT, name=maybe(TEXT), before=maybe(TEXT), after=maybe(TEXT))
_VERSION = answer(id=UUID, version=COUNT)


_EMPTY = gets({"type": "array", "maxItems": 0})
_REFUSED = Operation({"type": "object"}, {422: named("Error")})
_TAKEN = Operation(NO_BODY, {202: answer()})

OPERATIONS: dict[str, Operation] = {
    **people.OPERATIONS,
    **pipelines.OPERATIONS,
    **dynos.OPERATIONS,
    "GET /account/rate-limits": gets(answer(remaining=COUNT)),
    "GET /account/features": _EMPTY,
    "GET /account/app-transfers": gets(many(named("Transfer"))),
    "POST /account/app-transfers": Operation(
        body("app", "recipient", app=TEXT, recipient=TEXT, silent=maybe(FLAG)), {201: named("Transfer")}
    ),
    "GET /account/app-transfers/<transfer>": gets(named("Transfer")),
    "PATCH /account/app-transfers/<transfer>": Operation(
        body("state", state=word("accepted", "declined")), {200: named("Transfer")}
    ),
    "DELETE /account/app-transfers/<transfer>": gets(named("Transfer")),
    "GET /addons": _EMPTY,
    "GET /addon-attachments": _EMPTY,
    "GET /spaces": _EMPTY,
    "GET /teams": _EMPTY,
    "GET /apps/<app>/addons": _EMPTY,
    "GET /apps/<app>/addon-attachments": _EMPTY,
    "GET /apps/<app>/sni-endpoints": _EMPTY,
    "POST /apps/<app>/addons": _REFUSED,
    "POST /apps/<app>/sni-endpoints": _REFUSED,
    "GET /regions": gets(many(named("Region"))),
    "GET /regions/<region>": gets(named("Region")),
    "GET /stacks": gets(many(named("Stack"))),
    "GET /stacks/<stack>": gets(named("Stack")),
    "GET /dyno-sizes": gets(many(named("Size"))),
    "GET /dyno-sizes/<size>": gets(named("Size")),
    "POST /apps": Operation(
        body(
            name=maybe(TEXT),
            region=maybe(TEXT),
            stack=maybe(TEXT),
            team=maybe(TEXT),
            organization=maybe(TEXT),
            space=maybe(TEXT),
            personal=maybe(FLAG),
            locked=maybe(FLAG),
            internal_routing=maybe(FLAG),
        ),
        {201: named("App")},
    ),
    "GET /apps": lists("App"),
    "GET /users/~/apps": lists("App"),
    "POST /filters/apps": Operation(body("in", **{"in": _IDS_OR_NAMES}), {200: many(named("App"))}),
    "GET /apps/<app>": gets(named("App")),
    "PATCH /apps/<app>": Operation(
        body(
            name=maybe(TEXT),
            maintenance={"anyOf": [FLAG, {"enum": [0, 1]}, NOTHING]},
            build_stack=maybe(TEXT),
            owner=maybe(TEXT),
        ),
        {200: named("App")},
    ),
    "DELETE /apps/<app>": gets(named("App")),
    "GET /apps/<app>/config-vars": gets(named("Config")),
    "GET /apps/<app>/config-names": gets(many(TEXT)),
    "PATCH /apps/<app>/config-vars": Operation(by_name(maybe(TEXT)), {200: named("Config")}),
    "GET /apps/<app>/releases/<release>/config-vars": gets(named("Config")),
    "GET /apps/<app>/buildpack-installations": gets(many(named("Buildpack"))),
    "PUT /apps/<app>/buildpack-installations": Operation(
        body("updates", updates=many(body("buildpack", buildpack=TEXT))), {200: many(named("Buildpack"))}
    ),
    "GET /apps/<app>/formation": gets(many(named("Formation"))),
    "PATCH /apps/<app>/formation": Operation(
        body("updates", updates=many(body("type", type=TEXT, quantity=_QUANTITY, size=TEXT, docker_image=TEXT))),
        {200: many(named("Formation"))},
    ),
    "GET /apps/<app>/formation/<type>": gets(named("Formation")),
    "PATCH /apps/<app>/formation/<type>": Operation(body(quantity=_QUANTITY, size=TEXT), {200: named("Formation")}),
    "PUT /apps/<app>/formation/<type>/autoscaling": Operation(
        body("max_quantity", "triggers", min_quantity=_LEAST_MOST, max_quantity=_LEAST_MOST, triggers=_TRIGGERS),
        {200: named("Formation")},
    ),
    "DELETE /apps/<app>/formation/<type>/autoscaling": gets(named("Formation")),
    "GET /apps/<app>/releases": lists("Release"),
    "GET /apps/<app>/releases/<release>": gets(named("Release")),
    "POST /apps/<app>/releases": Operation(
        body(release=maybe(TEXT), slug=maybe(TEXT), description=maybe(TEXT), force=maybe(FLAG)), {201: named("Release")}
    ),
    "GET /apps/<app>/slugs/<slug>": gets(named("Slug")),
    "GET /apps/<app>/releases/<release>/diff/<other>": gets(
        answer(**{"changes": many(_CHANGE), "from": _VERSION, "to": _VERSION})
    ),
    "GET /apps/<app>/releases/<release>/sbom": gets(_BILL),
    "POST /apps/<app>/rebase": Operation(
        body(),
        {
            200: answer(base=answer(digest=TEXT), release=NOTHING),
            201: answer(base=answer(digest=TEXT), release=named("Release")),
        },
    ),
    "GET /apps/<app>/ejection/<kind>": gets(answer(to=TEXT, files={"type": "object", "additionalProperties": TEXT})),
    "POST /apps/<app>/adoption": Operation(
        body("history", history={"type": "object"}),
        {201: answer(release=named("Release"), without_image=many(COUNT))},
    ),
    "POST /apps/<app>/deploy-plan": Operation(
        body(commit=maybe(TEXT), procfile=maybe(TEXT), build_file=maybe(TEXT)),
        {
            200: answer(
                changes=many(_CHANGE), commit=maybe(TEXT), deploys=FLAG, notes=many(TEXT), running=maybe(_VERSION)
            )
        },
    ),
    "GET /apps/<app>/builds": lists("Build"),
    "GET /apps/<app>/builds/<build>": gets(named("Build")),
    "GET /apps/<app>/builds/<build>/result": gets(
        answer(
            build=answer(id=UUID, output_stream_url=URL, status=word("pending", "succeeded", "failed")),
            exit_code=maybe(COUNT),
            lines=many(answer(line=TEXT, stream=word("STDOUT"))),
        )
    ),
    "POST /apps/<app>/builds": Operation(body("source_blob", source_blob=_SOURCE), {201: named("Build")}),
    "DELETE /apps/<app>/builds/<build>": gets(named("Build")),
    "GET /apps/<app>/cron-tasks": gets(many(named("CronTask"))),
    "POST /apps/<app>/cron-tasks/<task>/actions/run": Operation(NO_BODY, {202: named("CronRun")}),
    "GET /apps/<app>/cron-runs": gets(many(named("CronRun"))),
    "GET /apps/<app>/cron-runs/<run>": gets(named("CronRun")),
    "DELETE /apps/<app>/dynos": _TAKEN,
    "DELETE /apps/<app>/dynos/<dyno>": _TAKEN,
    "POST /apps/<app>/dynos/<dyno>/actions/stop": _TAKEN,
    "DELETE /apps/<app>/formations/<type>": _TAKEN,
    "POST /apps/<app>/formations/<type>/actions/stop": _TAKEN,
    "POST /apps/<app>/log-sessions": Operation(
        body(
            dyno=maybe(TEXT),
            dyno_name=maybe(TEXT),
            type=maybe(TEXT),
            lines=maybe({"type": "integer", "minimum": 1, "maximum": 10_000}),
            source=maybe(TEXT),
            tail=maybe(FLAG),
        ),
        {201: answer(created_at=TIME, id=UUID, logplex_url=URL, updated_at=TIME)},
    ),
    "GET /apps/<app>/log-drains": gets(many(named("LogDrain"))),
    "POST /apps/<app>/log-drains": Operation(body("url", url=TEXT), {201: named("LogDrain")}),
    "GET /apps/<app>/log-drains/<path:drain>": gets(named("LogDrain")),
    "DELETE /apps/<app>/log-drains/<path:drain>": gets(named("LogDrain")),
    "GET /apps/<app>/webhooks": gets(many(named("Webhook"))),
    "POST /apps/<app>/webhooks": Operation(body("url", "include", "level", **_WEBHOOK), {201: named("Webhook")}),
    "GET /apps/<app>/webhooks/<webhook>": gets(named("Webhook")),
    "PATCH /apps/<app>/webhooks/<webhook>": Operation(
        body(**{key: maybe(value) for key, value in _WEBHOOK.items()}), {200: named("Webhook")}
    ),
    "DELETE /apps/<app>/webhooks/<webhook>": gets(named("Webhook")),
    "GET /apps/<app>/webhook-deliveries": lists("WebhookDelivery"),
    "GET /apps/<app>/webhook-deliveries/<delivery>": gets(named("WebhookDelivery")),
    "GET /apps/<app>/webhook-events": gets(many(named("WebhookEvent"))),
    "GET /apps/<app>/webhook-events/<event>": gets(named("WebhookEvent")),
    "GET /apps/<app>/events": lists("Event"),
    "GET /events": lists("Event"),
    "GET /events/chain": gets(
        answer(
            broken=maybe(answer(number=COUNT, reason=TEXT)),
            events=COUNT,
            head=maybe(TEXT),
            heads=COUNT,
            intact=FLAG,
        )
    ),
    "GET /apps/<app>/domains": gets(many(named("Domain"))),
    "POST /apps/<app>/domains": Operation(
        body("hostname", hostname=TEXT, sni_endpoint=maybe(TEXT)), {201: named("Domain")}
    ),
    "GET /apps/<app>/domains/<domain>": gets(named("Domain")),
    "DELETE /apps/<app>/domains/<domain>": gets(named("Domain")),
    "GET /apps/<app>/features": gets(many(named("Feature"))),
    "GET /apps/<app>/features/<feature>": gets(named("Feature")),
    "PATCH /apps/<app>/features/<feature>": Operation(body("enabled", enabled=FLAG), {200: named("Feature")}),
    "POST /sources": Operation(NO_BODY, {201: named("Source")}),
    "POST /apps/<app>/sources": Operation(NO_BODY, {201: named("Source")}),
    "GET /health/live": gets(answer(status=word("live"))),
    "GET /health/ready": gets(answer(status=word("ready"))),
    "GET /": Operation(NO_BODY, {302: None}),
    "PUT /streams/sources/<ticket>": Operation(NO_BODY, {200: None}),
    "GET /streams/logs/<ticket>": Operation(NO_BODY, {200: None}),
    "GET /streams/sessions/<ticket>": Operation(NO_BODY, {200: None, 204: None}),
}
