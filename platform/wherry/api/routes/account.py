"""/account: who the token belongs to."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from wherry.api.desk import Call


def show(call: Call) -> ResponseReturnValue:
    return jsonify(call.shapes.account(call.actor))
