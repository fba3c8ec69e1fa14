"""/account: who the token belongs to."""

from __future__ import annotations

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from wherry.api.desk import Call


def show(call: Call) -> ResponseReturnValue:
    return jsonify(call.shapes.account(call.actor))


def rates(call: Call) -> ResponseReturnValue:
    """How many requests are left of the hour's."""
    return jsonify({"remaining": g.rate_left})
