"""What each route takes and answers. A route that is not here takes any object and answers anything."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.api.openapi.notation import (
    COUNT,
    FLAG,
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

_QUANTITY: Schema = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[+-]?[0-9]{1,9}$"}]}
_NO_BODY: Schema | None = None
_SOURCE = body("url", url=URL, version=maybe(TEXT), checksum=maybe(TEXT), version_description=maybe(TEXT))

_WEBHOOK: dict[str, Schema] = {
    "url": TEXT,
    "include": many(TEXT),
    "level": word("notify", "sync"),
    "secret": maybe(TEXT),
    "authorization": maybe(TEXT),
}
_CHANGE = answer(area=TEXT, name=maybe(TEXT), before=maybe(TEXT), after=maybe(TEXT))
_VERSION = answer(id=UUID, version=COUNT)


@dataclass(frozen=True)
class Operation:
    """`answers`: status to the schema of the body; None for no JSON."""

    takes: Schema | None
    answers: dict[int, Schema | None]


def _gets(schema: Schema) -> Operation:
    return Operation(_NO_BODY, {200: schema})


def _lists(name: str) -> Operation:
    """A page of a list: 206 while there is more."""
    return Operation(_NO_BODY, {200: many(named(name)), 206: many(named(name))})


_EMPTY = _gets({"type": "array", "maxItems": 0})
_TAKEN = Operation(_NO_BODY, {202: answer()})

OPERATIONS: dict[str, Operation] = {
    "GET /account": _gets(named("Account")),
    "PATCH /account": Operation(body(name=maybe(TEXT)), {200: named("Account")}),
    "GET /users/~": _gets(named("Account")),
    "PATCH /users/~": Operation(body(name=maybe(TEXT)), {200: named("Account")}),
    "GET /users": _gets(many(named("Account"))),
    "GET /users/<user>": _gets(named("Account")),
    "DELETE /users/<user>": _gets(named("Account")),
    "GET /oauth/authorizations": _gets(many(named("Authorization"))),
    "POST /oauth/authorizations": Operation(
        body(
            description=maybe(TEXT),
            scope=maybe(many(TEXT)),
            expires_in=maybe({"type": "integer", "minimum": 1, "maximum": 315_360_000}),
        ),
        {201: named("Authorization")},
    ),
    "GET /oauth/authorizations/<authorization>": _gets(named("Authorization")),
    "DELETE /oauth/authorizations/<authorization>": _gets(named("Authorization")),
    "POST /oauth/authorizations/<authorization>/actions/regenerate-tokens": _gets(named("Authorization")),
    "POST /oauth/tokens": Operation(
        body("grant", grant=body("type", "code", type=word("authorization_code"), code=TEXT)),
        {201: named("Authorization")},
    ),
    "GET /account/rate-limits": _gets(answer(remaining=COUNT)),
    "GET /account/features": _EMPTY,
    "GET /account/app-transfers": _gets(many(named("Transfer"))),
    "POST /account/app-transfers": Operation(
        body("app", "recipient", app=TEXT, recipient=TEXT, silent=maybe(FLAG)), {201: named("Transfer")}
    ),
    "GET /account/app-transfers/<transfer>": _gets(named("Transfer")),
    "PATCH /account/app-transfers/<transfer>": Operation(
        body("state", state=word("accepted", "declined")), {200: named("Transfer")}
    ),
    "DELETE /account/app-transfers/<transfer>": _gets(named("Transfer")),
    "GET /addons": _EMPTY,
    "GET /addon-attachments": _EMPTY,
    "GET /spaces": _EMPTY,
    "GET /teams": _EMPTY,
    "GET /apps/<app>/addons": _EMPTY,
    "GET /apps/<app>/addon-attachments": _EMPTY,
    "GET /apps/<app>/sni-endpoints": _EMPTY,
    "GET /regions": _gets(many(named("Region"))),
    "GET /regions/<region>": _gets(named("Region")),
    "GET /stacks": _gets(many(named("Stack"))),
    "GET /stacks/<stack>": _gets(named("Stack")),
    "GET /dyno-sizes": _gets(many(named("Size"))),
    "GET /dyno-sizes/<size>": _gets(named("Size")),
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
    "GET /apps": _lists("App"),
    "GET /users/~/apps": _lists("App"),
    "GET /apps/<app>": _gets(named("App")),
    "PATCH /apps/<app>": Operation(
        body(name=maybe(TEXT), maintenance=maybe(FLAG), build_stack=maybe(TEXT)), {200: named("App")}
    ),
    "DELETE /apps/<app>": _gets(named("App")),
    "GET /apps/<app>/config-vars": _gets(named("Config")),
    "GET /apps/<app>/config-names": _gets(many(TEXT)),
    "PATCH /apps/<app>/config-vars": Operation(by_name(maybe(TEXT)), {200: named("Config")}),
    "GET /apps/<app>/releases/<release>/config-vars": _gets(named("Config")),
    "GET /apps/<app>/buildpack-installations": _gets(many(named("Buildpack"))),
    "PUT /apps/<app>/buildpack-installations": Operation(
        body("updates", updates=many(body("buildpack", buildpack=TEXT))), {200: many(named("Buildpack"))}
    ),
    "GET /apps/<app>/formation": _gets(many(named("Formation"))),
    "PATCH /apps/<app>/formation": Operation(
        body("updates", updates=many(body("type", type=TEXT, quantity=_QUANTITY, size=TEXT, docker_image=TEXT))),
        {200: many(named("Formation"))},
    ),
    "GET /apps/<app>/formation/<type>": _gets(named("Formation")),
    "PATCH /apps/<app>/formation/<type>": Operation(body(quantity=_QUANTITY, size=TEXT), {200: named("Formation")}),
    "GET /apps/<app>/releases": _lists("Release"),
    "GET /apps/<app>/releases/<release>": _gets(named("Release")),
    "POST /apps/<app>/releases": Operation(
        body(release=maybe(TEXT), slug=maybe(TEXT), description=maybe(TEXT), force=maybe(FLAG)), {201: named("Release")}
    ),
    "GET /apps/<app>/releases/<release>/diff/<other>": _gets(
        answer(**{"changes": many(_CHANGE), "from": _VERSION, "to": _VERSION})
    ),
    "POST /apps/<app>/deploy-plan": Operation(
        body(commit=maybe(TEXT), procfile=maybe(TEXT), build_file=maybe(TEXT)),
        {
            200: answer(
                changes=many(_CHANGE), commit=maybe(TEXT), deploys=FLAG, notes=many(TEXT), running=maybe(_VERSION)
            )
        },
    ),
    "GET /apps/<app>/builds": _lists("Build"),
    "GET /apps/<app>/builds/<build>": _gets(named("Build")),
    "POST /apps/<app>/builds": Operation(body("source_blob", source_blob=_SOURCE), {201: named("Build")}),
    "DELETE /apps/<app>/builds/<build>": _gets(named("Build")),
    "GET /apps/<app>/cron-tasks": _gets(many(named("CronTask"))),
    "POST /apps/<app>/cron-tasks/<task>/actions/run": Operation(_NO_BODY, {202: named("CronRun")}),
    "GET /apps/<app>/cron-runs": _gets(many(named("CronRun"))),
    "GET /apps/<app>/cron-runs/<run>": _gets(named("CronRun")),
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
    "GET /apps/<app>/log-drains": _gets(many(named("LogDrain"))),
    "POST /apps/<app>/log-drains": Operation(body("url", url=TEXT), {201: named("LogDrain")}),
    "GET /apps/<app>/log-drains/<path:drain>": _gets(named("LogDrain")),
    "DELETE /apps/<app>/log-drains/<path:drain>": _gets(named("LogDrain")),
    "GET /apps/<app>/webhooks": _gets(many(named("Webhook"))),
    "POST /apps/<app>/webhooks": Operation(body("url", "include", "level", **_WEBHOOK), {201: named("Webhook")}),
    "GET /apps/<app>/webhooks/<webhook>": _gets(named("Webhook")),
    "PATCH /apps/<app>/webhooks/<webhook>": Operation(
        body(**{key: maybe(value) for key, value in _WEBHOOK.items()}), {200: named("Webhook")}
    ),
    "DELETE /apps/<app>/webhooks/<webhook>": _gets(named("Webhook")),
    "GET /apps/<app>/webhook-deliveries": _lists("WebhookDelivery"),
    "GET /apps/<app>/webhook-deliveries/<delivery>": _gets(named("WebhookDelivery")),
    "GET /apps/<app>/webhook-events": _gets(many(named("WebhookEvent"))),
    "GET /apps/<app>/webhook-events/<event>": _gets(named("WebhookEvent")),
    "GET /apps/<app>/events": _lists("Event"),
    "GET /events": _lists("Event"),
    "GET /events/chain": _gets(
        answer(
            broken=maybe(answer(number=COUNT, reason=TEXT)),
            events=COUNT,
            head=maybe(TEXT),
            heads=COUNT,
            intact=FLAG,
        )
    ),
    "GET /apps/<app>/domains": _gets(many(named("Domain"))),
    "POST /apps/<app>/domains": Operation(
        body("hostname", hostname=TEXT, sni_endpoint=maybe(TEXT)), {201: named("Domain")}
    ),
    "GET /apps/<app>/domains/<domain>": _gets(named("Domain")),
    "DELETE /apps/<app>/domains/<domain>": _gets(named("Domain")),
    "GET /apps/<app>/features": _gets(many(named("Feature"))),
    "GET /apps/<app>/features/<feature>": _gets(named("Feature")),
    "PATCH /apps/<app>/features/<feature>": Operation(body("enabled", enabled=FLAG), {200: named("Feature")}),
    "POST /sources": Operation(_NO_BODY, {201: named("Source")}),
    "POST /apps/<app>/sources": Operation(_NO_BODY, {201: named("Source")}),
    "GET /health/live": _gets(answer(status=word("live"))),
    "GET /health/ready": _gets(answer(status=word("ready"))),
    "GET /": Operation(_NO_BODY, {302: None}),
    "PUT /streams/sources/<ticket>": Operation(_NO_BODY, {200: None}),
    "GET /streams/logs/<ticket>": Operation(_NO_BODY, {200: None}),
    "GET /streams/sessions/<ticket>": Operation(_NO_BODY, {200: None}),
}
