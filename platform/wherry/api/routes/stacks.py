"""/stacks: what apps can be built on."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from wherry.api.desk import Call
from wherry.domain.build_settings import STACKS
from wherry.domain.errors import NotFound
from wherry.domain.text import printable


def index(call: Call) -> ResponseReturnValue:
    return jsonify([call.shapes.stack(name) for name in STACKS])


def show(call: Call, stack: str) -> ResponseReturnValue:
    """By name or id. Raises NotFound."""
    for shown in (call.shapes.stack(name) for name in STACKS):
        if stack in (shown["name"], shown["id"]):
            return jsonify(shown)
    raise NotFound(f"there is no stack '{printable(stack, 60)}'", hint="To see them: wherry stack")
