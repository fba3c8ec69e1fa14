"""/dyno-sizes: how large a process can be."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from wherry.api import shapes_processes
from wherry.api.desk import Call
from wherry.domain.errors import NotFound
from wherry.domain.formation import SIZES
from wherry.domain.text import printable


def index(call: Call) -> ResponseReturnValue:
    return jsonify([shapes_processes.dyno_size(call.shapes, each) for each in SIZES.values()])


def show(call: Call, size: str) -> ResponseReturnValue:
    """By name, in any case, or by id."""
    for each in SIZES.values():
        shown = shapes_processes.dyno_size(call.shapes, each)
        if size.lower() in (each.name, shown["id"]):
            return jsonify(shown)
    raise NotFound(f"there is no size '{printable(size, 60)}' (there are: {', '.join(SIZES)})")
