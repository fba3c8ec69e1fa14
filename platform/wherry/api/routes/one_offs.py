"""/apps/APP/dynos, where one is asked for: a one-off, on its own or inside a process."""

from __future__ import annotations

import re

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api import shapes_processes
from wherry.api.body import flag, json_object, only, text
from wherry.api.desk import Call
from wherry.api.shapes import Json
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.model import App
from wherry.domain.one_off import Errand
from wherry.domain.secret import Secret
from wherry.domain.text import printable

_KEYS = ("command", "attach", "env", "size", "dyno_size", "type", "time_to_live", "force_no_tty")
_SECONDS = re.compile(r"[0-9]{1,9}")


def create(call: Call, app: App) -> ResponseReturnValue:
    return _asked(call, app, "")


def create_inside(call: Call, app: App, dyno: str) -> ResponseReturnValue:
    return _asked(call, app, dyno)


def shown(call: Call, app: App) -> list[Json]:
    found = call.world.run.of_app(app)
    with call.world.ledger.begin(read_only=True) as tx:
        releases = {number: tx.releases.by_number(app.id, number).id for number in {each.release for each, _ in found}}
    return [shapes_processes.one_off(call.shapes, app, each, state, releases[each.release]) for each, state in found]


def stopped(call: Call, app: App, dyno: str) -> bool:
    """Stops the one-off of that name or id; False when it is none's."""
    for each in shown(call, app):
        if dyno in (each["name"], each["id"]):
            call.world.run.stop(call.actor, app, str(each["name"]), call.origin)
            return True
    return False


def _asked(call: Call, app: App, inside: str) -> ResponseReturnValue:
    errand = _errand(inside)
    if inside:
        _must_run(call, app, inside)
    fingerprint = call.world.certificate.fingerprint() if errand.attach else ""
    one_off, word = call.world.run.run(call.actor, app, errand, call.origin)
    with call.world.ledger.begin(read_only=True) as tx:
        release = tx.releases.by_number(app.id, one_off.release)
    made = shapes_processes.one_off(call.shapes, app, one_off, None, release.id)
    return jsonify(shapes_processes.attached(call.shapes, made, word, fingerprint) if word else made), 201


def _errand(inside: str) -> Errand:
    body = json_object(request)
    only(body, _KEYS)
    return Errand(
        command=text(body, "command") or "",
        attach=flag(body, "attach") or bool(inside),
        tty=not flag(body, "force_no_tty"),
        env=_env(body.get("env")),
        size=text(body, "size") or text(body, "dyno_size"),
        type=text(body, "type"),
        seconds=_seconds(body.get("time_to_live")),
        inside=inside,
    )


def _env(wanted: object) -> dict[str, Secret]:
    """Heroku's clients send numbers too: the size of their terminal. None is for nothing."""
    if wanted is None:
        return {}
    if not isinstance(wanted, dict):
        raise InvalidInput("nothing was run", problems=["env: must be an object of strings"])
    if bad := [key for key, value in wanted.items() if isinstance(value, bool) or not isinstance(value, (str, int))]:
        wrong = [key for key in bad if wanted[key] is not None]
        if wrong:
            raise InvalidInput("nothing was run", problems=[f"env: {printable(key, 60)}: no string" for key in wrong])
    return {key: Secret(str(value)) for key, value in wanted.items() if value is not None}


def _seconds(wanted: object) -> int | None:
    """Raises InvalidInput for what is no whole number; its range is the flow's to know."""
    if wanted is None or (isinstance(wanted, int) and not isinstance(wanted, bool)):
        return wanted
    if isinstance(wanted, str) and _SECONDS.fullmatch(wanted):
        return int(wanted)
    raise InvalidInput("nothing was run", problems=["time_to_live: must be a whole number of seconds"])


def _must_run(call: Call, app: App, name: str) -> None:
    """Before anything is kept: whoever mistypes a name should hear it at once. The runtime looks again."""
    processes = {each.name for each in call.world.runtime.processes(app.id)}
    if name not in processes | {str(each["name"]) for each in shown(call, app)}:
        raise NotFound(f"{app.name} runs no '{printable(name, 60)}'", hint=f"To see what runs: wherry ps -a {app.name}")
