"""/apps/APP/cron-tasks and /cron-runs: what runs on a schedule, and what became of it."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from wherry.api import shapes_processes
from wherry.api.desk import Call
from wherry.domain.errors import NotFound
from wherry.domain.model import App
from wherry.domain.text import printable

_SHOWN = 100


def tasks(call: Call, app: App) -> ResponseReturnValue:
    return jsonify(
        [shapes_processes.cron_task(call.shapes, app, due, last) for due, last in call.world.cron.tasks(app)]
    )


def run(call: Call, app: App, task: str) -> ResponseReturnValue:
    made = call.world.cron.run(call.actor, app, _number(app, task), call.origin)
    return jsonify(shapes_processes.cron_run(call.shapes, app, made)), 202


def runs(call: Call, app: App) -> ResponseReturnValue:
    """Newest first."""
    return jsonify([shapes_processes.cron_run(call.shapes, app, each) for each in call.world.cron.runs(app, _SHOWN)])


def show(call: Call, app: App, run: str) -> ResponseReturnValue:
    """By id, number, or the name of its process."""
    for each in call.world.cron.runs(app, _SHOWN):
        shown = shapes_processes.cron_run(call.shapes, app, each)
        if run in (shown["id"], shown["name"], str(each.id)):
            return jsonify(shown)
    raise NotFound(
        f"{app.name} has no cron run '{printable(run, 60)}'", hint=f"To see them: wherry cron:history -a {app.name}"
    )


def _number(app: App, task: str) -> int:
    if task.isascii() and task.isdecimal() and len(task) < 6:
        return int(task)
    raise NotFound(
        f"{app.name} has no cron task '{printable(task, 60)}'", hint=f"To see them: wherry cron -a {app.name}"
    )
