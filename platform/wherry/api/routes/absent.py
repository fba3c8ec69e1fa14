"""What Heroku has and this platform has not. Lists of it are empty, since clients ask for them on the way to something
else; making one is refused in words, with what to do instead.
"""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from wherry.api.desk import Call
from wherry.domain.errors import InvalidInput
from wherry.domain.model import App


def none(call: Call) -> ResponseReturnValue:
    return jsonify([])


def none_of_app(call: Call, app: App) -> ResponseReturnValue:
    return jsonify([])


def addon(call: Call, app: App) -> ResponseReturnValue:
    raise InvalidInput(
        "this platform has no add-ons",
        hint=f"Run the service elsewhere and give its address: wherry config:set DATABASE_URL=... -a {app.name}",
    )


def certificate(call: Call, app: App) -> ResponseReturnValue:
    raise InvalidInput(
        "this platform keeps no certificates",
        hint="TLS ends in front of the router: docs/operations.md",
    )
