"""/regions: the one place where apps run."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from wherry.api.desk import Call
from wherry.domain.errors import NotFound
from wherry.domain.text import printable


def index(call: Call) -> ResponseReturnValue:
    return jsonify([call.shapes.region()])


def show(call: Call, region: str) -> ResponseReturnValue:
    """By name or id. Raises NotFound."""
    shown = call.shapes.region()
    if region in (shown["name"], shown["id"]):
        return jsonify(shown)
    raise NotFound(f"there is no region '{printable(region, 60)}'", hint=f"There is: {shown['name']}")
