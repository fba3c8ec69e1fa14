"""/apps/APP/releases: what there was, and the way back."""

from __future__ import annotations

import re

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object, only
from wherry.api.desk import Call
from wherry.api.ranges import Pager, parse
from wherry.domain.errors import InvalidInput
from wherry.domain.model import App, Release
from wherry.domain.text import printable

_ALL = 1_000_000
_FIELDS = ("id", "version")


def index(call: Call, app: App) -> ResponseReturnValue:
    header = request.headers.get("Range")
    with call.world.ledger.begin(read_only=True) as tx:
        releases = tx.releases.of_app(app.id, limit=_needed(header))
        current = tx.releases.current(app.id)
    return _pager(call).answer(header, releases, lambda release: call.shapes.release(app, release, current))


def show(call: Call, app: App, release: str) -> ResponseReturnValue:
    found = call.desk.release(app, release)
    with call.world.ledger.begin(read_only=True) as tx:
        current = tx.releases.current(app.id)
    return jsonify(call.shapes.release(app, found, current))


def config(call: Call, app: App, release: str) -> ResponseReturnValue:
    """The config as it was released."""
    found = call.desk.release(app, release)
    return jsonify({key: value.reveal() for key, value in found.config.items()})


def roll_back(call: Call, app: App) -> ResponseReturnValue:
    """`release`: number, vN or id; absent means the one that served before."""
    body = json_object(request)
    only(body, ("release", "description"))
    wanted = body.get("release")
    number = None if wanted is None else call.desk.release(app, _reference(wanted)).number
    release = call.world.rollback.run(call.actor, app, number, call.origin)
    with call.world.ledger.begin(read_only=True) as tx:
        current = tx.releases.current(app.id)
    return jsonify(call.shapes.release(app, release, current)), 201


def _reference(wanted: object) -> str:
    if isinstance(wanted, str):
        return wanted
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        return str(wanted)
    raise InvalidInput("nothing was rolled back", problems=["release: must be a version such as v12, or an id"])


def _pager(call: Call) -> Pager[Release]:
    ids = call.desk.ids
    return Pager[Release](
        keys={"id": lambda release: ids.of("release", release.id), "version": lambda release: release.number},
        read=_read,
        show=lambda field, value: f"v{value}" if field == "version" else str(value),
    )


def _read(field: str, text: str) -> object:
    if field != "version":
        return text
    if not re.fullmatch("v?[0-9]{1,9}", text):
        raise ValueError(printable(text))
    return int(text.removeprefix("v"))


def _needed(header: str | None) -> int:
    """The newest page, which most clients ask for, must not read every release there ever was."""
    asked = parse(header, _FIELDS)
    return asked.most + 1 if asked.descending and not asked.start and not asked.end else _ALL
