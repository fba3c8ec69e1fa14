"""/apps/APP/builds: each try to make an image, and its log."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object, only, text
from wherry.api.desk import Call
from wherry.api.routes.sources import token_of
from wherry.api.shapes import Json
from wherry.api.windows import Field, Windows
from wherry.domain.errors import InvalidInput
from wherry.domain.model import App, Build, BuildStatus
from wherry.domain.paging import Window
from wherry.flow.lanes import build_stream


def index(call: Call, app: App) -> ResponseReturnValue:
    """By id, which is also the order of their times: `created_at` is taken for Heroku's clients, with ids as its bounds."""
    ids = call.desk.ids

    def fetch(field: str, window: Window) -> list[Build]:
        with call.world.ledger.begin(read_only=True) as tx:
            return tx.builds.page(app.id, window)

    def shapes(page: Sequence[Build]) -> list[Json]:
        with call.world.ledger.begin(read_only=True) as tx:
            made = tx.releases.of_builds([build.id for build in page])
        return [call.shapes.build(app, build, made.get(build.id)) for build in page]

    by_id = Field[Build](lambda text: ids.known("build", text), lambda build: ids.of("build", build.id))
    windows = Windows[Build]({"id": by_id, "created_at": by_id})
    return windows.answer(request.headers.get("Range"), fetch, shapes)


def show(call: Call, app: App, build: str) -> ResponseReturnValue:
    return jsonify(_shown(call, app, call.desk.build(app, build)))


def create(call: Call, app: App) -> ResponseReturnValue:
    """Of an archive that was put where POST /sources said. A checksum, when given, must be the archive's."""
    body = json_object(request)
    only(body, ("source_blob", "buildpacks", "normalize_root"))
    blob = body.get("source_blob")
    if not isinstance(blob, dict) or not isinstance(blob.get("url"), str):
        raise InvalidInput("no build", problems=["source_blob.url: the get_url of POST /sources is missing"])
    if body.get("buildpacks"):
        problem = "buildpacks: cannot be chosen for one build"
        raise InvalidInput("no build", problems=[problem], hint="Choose them for the app: wherry buildpacks:set")
    token = token_of(call, blob["url"])
    _check(call.world.uploads.path(token), text(blob, "checksum"))
    build = call.world.upload.run(call.actor, app, token, text(blob, "version") or "", call.origin)
    return jsonify(_shown(call, app, build)), 201


def cancel(call: Call, app: App, build: str) -> ResponseReturnValue:
    return jsonify(_shown(call, app, call.world.cancel.run(call.actor, app, call.desk.build(app, build), call.origin)))


def _check(archive: Path, checksum: str | None) -> None:
    if not checksum:
        return
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if checksum.lower() != f"sha256:{found}":
        problem = f"source_blob.checksum: the archive that came has SHA256:{found}"
        raise InvalidInput("no build", problems=[problem], hint="Upload it again.")


def result(call: Call, app: App, build: str) -> ResponseReturnValue:
    """The log as it is now, with an exit code once there is one."""
    found = call.desk.build(app, build)
    shape = _shown(call, app, found)
    lines = call.world.logs.read(build_stream(found.id))
    ended = found.status.final
    return jsonify(
        {
            "build": {key: shape[key] for key in ("id", "status", "output_stream_url")},
            "exit_code": int(found.status is not BuildStatus.SUCCEEDED) if ended else None,
            "lines": [{"line": line + "\n", "stream": "STDOUT"} for line in lines],
        }
    )


def _shown(call: Call, app: App, build: Build) -> Json:
    with call.world.ledger.begin(read_only=True) as tx:
        release = tx.releases.of_build(build.id)
    return call.shapes.build(app, build, release)
