"""/account and /users: who the token belongs to, and, for admins of the platform, everybody."""

from __future__ import annotations

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api import shapes_people as people
from wherry.api.body import flag, json_object, only
from wherry.api.desk import Call
from wherry.domain.errors import NotFound
from wherry.domain.model import User
from wherry.domain.text import printable


def show(call: Call) -> ResponseReturnValue:
    return jsonify(people.account(call.shapes, call.world.people.user(call.actor.id)))


def change(call: Call) -> ResponseReturnValue:
    """`name`: what to call you."""
    body = json_object(request)
    only(body, ("name",))
    if body.get("name") is None:
        return show(call)
    return jsonify(people.account(call.shapes, call.world.people.name(call.actor, body["name"], call.origin)))


def rates(call: Call) -> ResponseReturnValue:
    """How many requests are left of the hour's."""
    return jsonify({"remaining": g.rate_left})


def users(call: Call) -> ResponseReturnValue:
    """Everybody's accounts."""
    return jsonify([people.account(call.shapes, each) for each in call.world.people.all()])


def user(call: Call, user: str) -> ResponseReturnValue:
    return jsonify(people.account(call.shapes, _found(call, user)))


def add(call: Call) -> ResponseReturnValue:
    """`email`, `admin`. Answers with a `login_url` that opens once, within a day; nobody sees it again."""
    body = json_object(request)
    only(body, ("email", "admin"))
    added, link = call.world.people.add(call.actor, body.get("email"), flag(body, "admin"), call.origin)
    return jsonify({**people.account(call.shapes, added), "login_url": people.login_url(call.shapes, link)}), 201


def remove(call: Call, user: str) -> ResponseReturnValue:
    found = _found(call, user)
    call.world.people.remove(call.actor, found, call.origin)
    return jsonify(people.account(call.shapes, found))


def _found(call: Call, text: str) -> User:
    """By id or address. Raises NotFound."""
    number = call.desk.ids.number("account", text)
    if number is None:
        with call.world.ledger.begin(read_only=True) as tx:
            known = tx.accounts.by_email(text)
        if known is None:
            raise NotFound(f"no user '{printable(text, 80)}'", hint="To see them: wherry users")
        number = known.id
    return call.world.people.user(number)
