"""/apps/APP/dynos: what runs now, and its restart."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from wherry.api import shapes_processes
from wherry.api.desk import Call
from wherry.api.routes import one_offs
from wherry.api.shapes import Json
from wherry.domain import cron
from wherry.domain.errors import NotFound
from wherry.domain.formation import DEFAULT_SIZE
from wherry.domain.model import App
from wherry.domain.text import printable
from wherry.domain.workload import Process

_ID_LENGTH = 36


def index(call: Call, app: App) -> ResponseReturnValue:
    return jsonify(_shown(call, app))


def show(call: Call, app: App, dyno: str) -> ResponseReturnValue:
    for each in _shown(call, app):
        if dyno in (each["name"], each["id"]):
            return jsonify(each)
    raise NotFound(f"{app.name} runs no '{printable(dyno, 60)}'", hint=f"To see what runs: wherry ps -a {app.name}")


def restart_all(call: Call, app: App) -> ResponseReturnValue:
    call.world.restart.everything(call.actor, app, call.origin)
    return _accepted()


def restart(call: Call, app: App, dyno: str) -> ResponseReturnValue:
    """A one-off is not started again, as on Heroku."""
    if one_offs.stopped(call, app, dyno) or call.world.cron.stop(call.actor, app, dyno, call.origin):
        return _accepted()
    _restarted(call, app, dyno, stop_first=False)
    return _accepted()


def stop(call: Call, app: App, dyno: str) -> ResponseReturnValue:
    """The formation still asks for it, so another takes its place, as on Heroku; in that of a one-off none."""
    if one_offs.stopped(call, app, dyno) or call.world.cron.stop(call.actor, app, dyno, call.origin):
        return _accepted()
    _restarted(call, app, dyno, stop_first=True)
    return _accepted()


def restart_type(call: Call, app: App, type: str) -> ResponseReturnValue:
    call.world.restart.type(call.actor, app, type, call.origin)
    return _accepted()


def stop_type(call: Call, app: App, type: str) -> ResponseReturnValue:
    call.world.restart.type(call.actor, app, type, call.origin, stop_first=True)
    return _accepted()


def _restarted(call: Call, app: App, dyno: str, *, stop_first: bool) -> None:
    """A name without a number is a type's: Heroku's `ps:restart web` asks for all of it so."""
    one = "." in dyno or len(dyno) == _ID_LENGTH
    wish = call.world.restart.process if one else call.world.restart.type
    wish(call.actor, app, _name(call, app, dyno), call.origin, stop_first=stop_first)


def _accepted() -> ResponseReturnValue:
    return jsonify({}), 202


def _name(call: Call, app: App, dyno: str) -> str:
    """Of a process that is named by its id."""
    if len(dyno) != _ID_LENGTH:
        return dyno
    return next((str(each["name"]) for each in _shown(call, app) if each["id"] == dyno), dyno)


def _shown(call: Call, app: App) -> list[Json]:
    processes = sorted(call.world.runtime.processes(app.id), key=lambda each: (each.type, each.index, each.release))
    with call.world.ledger.begin(read_only=True) as tx:
        formation = tx.apps.formation(app.id)
        scheduled = any(each.type == cron.TYPE and each.index > cron.FIRST_NUMBER for each in processes)
        runs = {each.process: each.command for each in tx.crons.runs(app.id)} if scheduled else {}
        releases = {}
        for number in {process.release for process in processes}:
            try:
                releases[number] = tx.releases.by_number(app.id, number)
            except NotFound:
                continue  # it runs, but its release is unknown: converge will take it away

    def shape(process: Process) -> Json:
        release = releases.get(process.release)
        command = runs.get(process.name) or (release.image.processes.get(process.type, "") if release else "")
        size = formation[process.type].size if process.type in formation else DEFAULT_SIZE
        return shapes_processes.dyno(call.shapes, app, process, command, release.id if release else None, size)

    return [*one_offs.shown(call, app), *(shape(process) for process in processes)]
