"""What runs, and the forms that change it: scale, restart, maintenance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest

from flask import render_template, request
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import InvalidInput
from wherry.domain.formation import SIZES
from wherry.domain.model import App
from wherry.domain.roles import Permission
from wherry.portal.forms import Answer, Refused, answered, done, typed
from wherry.portal.session import actor, origin
from wherry.portal.shelf import Shelf
from wherry.portal.text import clean
from wherry.wiring.web import World


@dataclass(frozen=True)
class ProcessPages:
    world: World

    def show(self, name: str) -> str:
        return self._page(Shelf(self.world).app(name, Permission.VIEW))

    def scale(self, name: str) -> Answer:
        """Every type that the form names, at once: all or nothing."""
        app = Shelf(self.world).app(name, Permission.OPERATE)

        def act() -> AnyResponse:
            wanted = {type: (_quantity(quantity), size or None) for type, (quantity, size) in _asked().items()}
            if not wanted:
                raise InvalidInput("nothing was scaled", problems=["the form names no process type"])
            formation = self.world.scale.run(actor(), app, wanted, origin())
            told = ", ".join(f"{type} {scale.quantity} ({scale.size})" for type, scale in sorted(formation.items()))
            return done(f"The formation is {clean(told)}.", "processes", name=app.name)

        return answered("scale", act, lambda no: self._page(app, no))

    def restart(self, name: str) -> Answer:
        """`process`: web.1; else `type`: web; else all. `stop`: now, another takes its place."""
        app = Shelf(self.world).app(name, Permission.OPERATE)

        def act() -> AnyResponse:
            story, process, type = self.world.restart, typed("process"), typed("type")
            stop = typed("stop") == "yes"
            if process:
                story.process(actor(), app, process, origin(), stop_first=stop)
            elif type:
                story.type(actor(), app, type, origin(), stop_first=stop)
            else:
                story.everything(actor(), app, origin())
            what = clean(process or type or "every process")
            said = f"{what} is stopped; another takes its place." if stop else f"{what} is restarted."
            return done(said[0].upper() + said[1:], "processes", name=app.name)

        return answered("restart", act, lambda no: self._page(app, no))

    def maintain(self, name: str) -> AnyResponse:
        app = Shelf(self.world).app(name, Permission.OPERATE)
        app = self.world.maintain.run(actor(), app, typed("on") == "yes", origin())
        return done(f"Maintenance is {'on' if app.maintenance else 'off'}.", "processes", name=app.name)

    def _page(self, app: App, refused: Refused | None = None) -> str:
        formation, release = self.world.scale.show(app)
        running = Shelf(self.world).running(app)
        return render_template(
            "portal/processes.html",
            app=app,
            formation=formation,
            commands=release.image.processes if release else {},
            running=running,
            sizes=SIZES,
            asked=_asked() if refused and refused.form == "scale" else {},
            cron_tasks=len(self.world.cron.tasks(app)),
            refused=refused,
        )


def _asked() -> dict[str, tuple[str, str]]:
    """Type to quantity and size, as they were typed. A form that is cut off names types without them: "" is no number."""
    form = request.form
    rows = zip_longest(form.getlist("type"), form.getlist("quantity"), form.getlist("size"), fillvalue="")
    return {type: (quantity, size) for type, quantity, size in rows}


def _quantity(text: str) -> int | str:
    """A whole number as one: "-1" in a form is a slip, not "one fewer" as on a command line."""
    text = text.strip()
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,9}", text) else text
