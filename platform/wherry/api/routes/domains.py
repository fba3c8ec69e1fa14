"""/apps/APP/domains: under which names the app answers."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object, only, text
from wherry.api.desk import Call
from wherry.api.hostnames import canonical
from wherry.api.shapes import Json
from wherry.domain.domains import CustomDomain
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.model import App


def index(call: Call, app: App) -> ResponseReturnValue:
    """The platform's own name for it first."""
    custom = [_shown(call, app, each) for each in call.world.domains.of_app(app)]
    return jsonify([call.shapes.own_domain(app), *custom])


def show(call: Call, app: App, domain: str) -> ResponseReturnValue:
    """By name or id. One that waits for its proof is looked after by this, so that who waits need only ask."""
    if domain in (own := call.shapes.own_domain(app)).values():
        return jsonify(own)
    return jsonify(_shown(call, app, call.world.domains.check(_found(call, app, domain))))


def create(call: Call, app: App) -> ResponseReturnValue:
    body = json_object(request)
    only(body, ("hostname", "sni_endpoint"))
    if text(body, "sni_endpoint"):
        raise InvalidInput(
            "this platform keeps no certificates", problems=["sni_endpoint: TLS ends in front of the router"]
        )
    found = call.world.domains.add(call.actor, app, canonical(body.get("hostname")), call.origin)
    return jsonify(_shown(call, app, found)), 201


def remove(call: Call, app: App, domain: str) -> ResponseReturnValue:
    found = _found(call, app, domain)
    call.world.domains.remove(call.actor, app, found.name, call.origin)
    return jsonify(_shown(call, app, found))


def _found(call: Call, app: App, domain: str) -> CustomDomain:
    known = call.world.domains.of_app(app)
    number = call.desk.ids.number("domain", domain)
    for each in known:
        if each.id == number:
            return each
    try:
        return call.world.domains.named(known, app, str(canonical(domain)))
    except InvalidInput as error:
        raise NotFound(error.message, hint=f"To see them: wherry domains -a {app.name}") from None


def _shown(call: Call, app: App, domain: CustomDomain) -> Json:
    return call.shapes.domain(app, domain, *call.world.domains.proof(domain))
