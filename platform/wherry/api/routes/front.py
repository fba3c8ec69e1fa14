"""The bare root, where a browser lands."""

from __future__ import annotations

from flask import redirect
from flask.typing import ResponseReturnValue

from wherry.api.desk import Desk


def home(desk: Desk) -> ResponseReturnValue:
    return redirect("/dashboard")
