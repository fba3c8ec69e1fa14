"""/apps/APP/releases: what there was, how two of them differ, and the way back."""

from __future__ import annotations

import re

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import flag, json_object, only, text
from wherry.api.desk import Call
from wherry.api.shapes import Json
from wherry.api.windows import Field, Windows
from wherry.domain.difference import difference, shape_of
from wherry.domain.errors import InvalidInput
from wherry.domain.model import App, Release
from wherry.domain.paging import Window
from wherry.domain.retention import Standing


def index(call: Call, app: App) -> ResponseReturnValue:
    standing = _standing(call, app)

    def fetch(field: str, window: Window) -> list[Release]:
        with call.world.ledger.begin(read_only=True) as tx:
            return tx.releases.page(app.id, window, by_id=field == "id")

    return _windows(call).answer(
        request.headers.get("Range"), fetch, lambda page: [call.shapes.release(app, each, standing) for each in page]
    )


def show(call: Call, app: App, release: str) -> ResponseReturnValue:
    return jsonify(_shown(call, app, call.desk.release(app, release)))


def slug(call: Call, app: App, slug: str) -> ResponseReturnValue:
    """What a release's `slug` stands for: Heroku's apps:diff compares two apps by its checksum."""
    return jsonify(call.shapes.slug(slug, call.desk.slug(app, slug)))


def config(call: Call, app: App, release: str) -> ResponseReturnValue:
    """The config as it was released."""
    found = call.desk.release(app, release)
    config = call.world.reveal.run(call.actor, app, call.origin, found)
    return jsonify({key: value.reveal() for key, value in config.items()})


def bill(call: Call, app: App, release: str) -> ResponseReturnValue:
    """What its image is made of, as one CycloneDX document. Our own; Heroku has none."""
    return jsonify(call.world.bill.run(app, call.desk.release(app, release)))


def diff(call: Call, app: App, release: str, other: str) -> ResponseReturnValue:
    """What changes from `release` to `other`; no value of config."""
    before, after = call.desk.release(app, release), call.desk.release(app, other)
    by_load = call.world.runtime.by_load
    changes = difference(shape_of(before, by_load), shape_of(after, by_load))
    return jsonify(
        {
            "changes": [call.shapes.change(each) for each in changes],
            "from": call.shapes.release_reference(before),
            "to": call.shapes.release_reference(after),
        }
    )


def create(call: Call, app: App) -> ResponseReturnValue:
    """With `release` (number, vN or id) or nothing: back to it, or to the one that served before; `force`: although a
    release phase ran since. With `slug`: that one's image once more, with the config of now.
    """
    body = json_object(request)
    only(body, ("release", "description", "slug", "force"))
    wanted, slug, description = body.get("release"), text(body, "slug"), text(body, "description")
    if slug is not None:
        if wanted is not None:
            raise InvalidInput("no release was made", problems=["release, slug: only one of them"])
        number = call.desk.slug(app, slug).number
        release = call.world.retry.run(call.actor, app, number, description or "", call.origin)
    else:
        back = None if wanted is None else call.desk.release(app, _reference(wanted)).number
        release = call.world.rollback.run(call.actor, app, back, call.origin, force=flag(body, "force"))
    return jsonify(_shown(call, app, release)), 201


def _shown(call: Call, app: App, release: Release) -> Json:
    return call.shapes.release(app, release, _standing(call, app))


def _standing(call: Call, app: App) -> Standing:
    with call.world.ledger.begin(read_only=True) as tx:
        return tx.releases.standing(app.id, call.world.rollback.keep)


def _reference(wanted: object) -> str:
    if isinstance(wanted, str):
        return wanted
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        return str(wanted)
    raise InvalidInput("nothing was rolled back", problems=["release: must be a version such as v12, or an id"])


def _windows(call: Call) -> Windows[Release]:
    ids = call.desk.ids
    return Windows(
        {
            "id": Field(lambda given: ids.known("release", given), lambda release: ids.of("release", release.id)),
            "version": Field(_version, lambda release: release.name),
        }
    )


def _version(given: str) -> int:
    if not re.fullmatch("v?[0-9]{1,9}", given):
        raise ValueError("no version")
    return int(given.removeprefix("v"))
