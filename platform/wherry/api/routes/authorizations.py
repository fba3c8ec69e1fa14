"""/oauth: one's own tokens. A token itself is shown once, when it is made."""

from __future__ import annotations

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api import shapes_people as people
from wherry.api.body import json_object, only, text
from wherry.api.desk import Call, Desk
from wherry.api.shapes import Json, Shapes
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.model import Token
from wherry.domain.secret import Secret
from wherry.domain.text import printable

KIND = "authorization"


def index(call: Call) -> ResponseReturnValue:
    return jsonify([_shown(call, each) for each in call.world.tokens.all(call.actor)])


def show(call: Call, authorization: str) -> ResponseReturnValue:
    number = _number(call, authorization)
    for each in call.world.tokens.all(call.actor):
        if each.id == number:
            return jsonify(_shown(call, each))
    raise _missing(authorization)


def create(call: Call) -> ResponseReturnValue:
    """`description`, `scope` (a list; all when absent), `expires_in` (seconds; never when absent)."""
    body = json_object(request)
    only(body, ("description", "scope", "expires_in"))
    token, secret = call.world.tokens.create(
        call.actor, body.get("description"), body.get("scope"), body.get("expires_in"), call.origin
    )
    return jsonify(_shown(call, token, secret)), 201


def describe(call: Call, authorization: str) -> ResponseReturnValue:
    """`description`: what it is for. Its scope and its end stay as they are."""
    body = json_object(request)
    only(body, ("description",))
    if "description" not in body:
        raise InvalidInput("the token was not changed", problems=["description: what it is for, is missing"])
    token = call.world.tokens.describe(call.actor, _number(call, authorization), body["description"], call.origin)
    return jsonify(_shown(call, token))


def revoke(call: Call, authorization: str) -> ResponseReturnValue:
    token = call.world.tokens.revoke(call.actor, _number(call, authorization), call.origin)
    return jsonify(_shown(call, token))


def rotate(call: Call, authorization: str) -> ResponseReturnValue:
    """Another secret for the same token."""
    token, secret = call.world.tokens.rotate(call.actor, _number(call, authorization), call.origin)
    return jsonify(_shown(call, token, secret))


def exchange(desk: Desk) -> ResponseReturnValue:
    """`grant`: {`type`: "authorization_code", `code`: the token of a login link}. A token for it, once."""
    body = json_object(request)
    only(body, ("grant",))
    grant = body.get("grant")
    code = text(grant, "code") if isinstance(grant, dict) else None
    if not isinstance(grant, dict) or not code or grant.get("type") != "authorization_code":
        raise InvalidInput("no token was made", problems=["grant: must be {type: authorization_code, code: …}"])
    whence = request.remote_addr or ""
    origin = f"api {whence} request {g.request_id}"
    actor, token, secret = desk.world.tokens.of_link(desk.world.access, Secret(code), whence, origin)
    shapes = Shapes(desk.world.settings, desk.ids, desk.tickets, request.host_url.rstrip("/"))
    return jsonify(people.authorization(shapes, actor, token, desk.world.clock.now(), secret)), 201


def _shown(call: Call, token: Token, secret: Secret | None = None) -> Json:
    return people.authorization(call.shapes, call.actor, token, call.world.clock.now(), secret)


def _number(call: Call, given: str) -> int:
    number = call.desk.ids.number(KIND, given)
    if number is None:
        raise _missing(given)
    return number


def _missing(given: str) -> NotFound:
    return NotFound(f"you have no token '{printable(given, 60)}'", hint="To see yours: wherry authorizations")
