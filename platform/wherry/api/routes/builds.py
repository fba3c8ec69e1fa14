"""/apps/APP/builds: each try to make an image, and its log."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.desk import Call
from wherry.api.ranges import Pager
from wherry.api.shapes import Json
from wherry.domain.model import App, Build, BuildStatus
from wherry.flow.lanes import build_stream

_MOST = 1000


def index(call: Call, app: App) -> ResponseReturnValue:
    with call.world.ledger.begin(read_only=True) as tx:
        builds = tx.builds.of_app(app.id, limit=_MOST)
    ids = call.desk.ids
    pager = Pager[Build](
        keys={"id": lambda build: ids.of("build", build.id), "created_at": lambda build: (build.created_at, build.id)},
        show=lambda field, value: value[0].isoformat() if isinstance(value, tuple) else str(value),
    )
    return pager.answer(request.headers.get("Range"), builds, lambda build: _shown(call, app, build))


def show(call: Call, app: App, build: str) -> ResponseReturnValue:
    return jsonify(_shown(call, app, call.desk.build(app, build)))


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
