"""What runs on a schedule, what became of it, and the form that runs a task now."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, render_template
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.model import App
from wherry.domain.roles import Permission
from wherry.flow.lanes import cron_stream
from wherry.portal.forms import Answer, Refused, answered, done
from wherry.portal.session import actor, origin
from wherry.portal.shelf import Shelf
from wherry.portal.text import plain
from wherry.wiring.web import World

RUNS = 50


@dataclass(frozen=True)
class CronPages:
    world: World

    def show(self, name: str) -> str:
        return self._page(Shelf(self.world).app(name, Permission.VIEW))

    def run(self, name: str, number: int) -> Answer:
        app = Shelf(self.world).app(name, Permission.OPERATE)

        def act() -> AnyResponse:
            run = self.world.cron.run(actor(), app, number, origin())
            return done(f"Task {number} runs as {run.process}.", "crons", name=app.name)

        return answered(f"run-{number}", act, lambda no: self._page(app, no))

    def text(self, name: str, number: int) -> Response:
        """What the run printed."""
        app = Shelf(self.world).app(name, Permission.VIEW)
        run = self.world.cron.one(app, number)
        lines = self.world.logs.read(cron_stream(run.id))
        return Response("".join(plain(line.encode("utf-8", "replace")) + "\n" for line in lines), mimetype="text/plain")

    def _page(self, app: App, refused: Refused | None = None) -> str:
        tasks, runs = self.world.cron.tasks(app), self.world.cron.runs(app, RUNS)
        return render_template("portal/crons.html", app=app, tasks=tasks, runs=runs, refused=refused)
