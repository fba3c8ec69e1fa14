"""/account/keys: the public keys that open git over SSH."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api import shapes_people
from wherry.api.body import json_object, only, text
from wherry.api.desk import Call
from wherry.domain.errors import NotFound
from wherry.domain.ssh_keys import UserKey
from wherry.domain.text import printable


def index(call: Call) -> ResponseReturnValue:
    return jsonify([shapes_people.key(call.shapes, each) for each in call.world.keys.of(call.actor)])


def show(call: Call, key: str) -> ResponseReturnValue:
    return jsonify(shapes_people.key(call.shapes, _own(call, key)))


def create(call: Call) -> ResponseReturnValue:
    body = json_object(request)
    only(body, ("public_key",))
    added = call.world.keys.add(call.actor, text(body, "public_key") or "", call.origin)
    return jsonify(shapes_people.key(call.shapes, added)), 201


def remove(call: Call, key: str) -> ResponseReturnValue:
    """By id, fingerprint or comment; that of another user is not there."""
    number = call.desk.ids.number("key", key)
    removed = call.world.keys.remove(call.actor, key if number is None else number, call.origin)
    return jsonify(shapes_people.key(call.shapes, removed))


def _own(call: Call, key: str) -> UserKey:
    number = call.desk.ids.number("key", key)
    for each in call.world.keys.of(call.actor):
        if number == each.id or key == each.key.fingerprint:
            return each
    raise NotFound(f"you have no key '{printable(key, 200)}'", hint="To see yours: wherry keys")
