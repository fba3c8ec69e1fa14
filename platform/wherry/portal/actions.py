"""The form that rolls back."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.config import Config
from wherry.domain.errors import Conflict
from wherry.domain.model import ReleaseStatus
from wherry.domain.roles import Permission
from wherry.portal.session import actor, origin
from wherry.portal.shelf import Shelf
from wherry.wiring.web import World


def differences(now: Config, then: Config) -> dict[str, list[str]]:
    """The keys that going from `now` to `then` would set, change and unset; no values."""
    return {
        "set": sorted(then.keys() - now.keys()),
        "change": sorted(key for key in then.keys() & now.keys() if then[key] != now[key]),
        "unset": sorted(now.keys() - then.keys()),
    }


@dataclass(frozen=True)
class Actions:
    world: World

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.world)

    def ask_rollback(self, name: str, number: int) -> str:
        app, release = self.shelf.release(name, number, Permission.CHANGE)
        newest = self.shelf.newest(app)
        if release.status is not ReleaseStatus.SUCCEEDED or newest is None or newest.id == release.id:
            raise Conflict(
                f"{release.name} is not a release to go back to: only an earlier one that has served is",
                hint=f"To see them: wherry releases --app {app.name}",
            )
        changes = differences(self.shelf.config(app), release.config)
        risk = self.world.rollback.risk(app, number)
        return render_template(
            "portal/rollback.html", app=app, release=release, newest=newest, changes=changes, risk=risk
        )

    def roll_back(self, name: str, number: int) -> AnyResponse:
        app = self.shelf.app(name, Permission.CHANGE)
        force = request.form.get("force") == "yes"
        release = self.world.rollback.run(actor(), app, number, origin(), force=force)
        flash(f"Rolling back to v{number}, as {release.name}.")
        return redirect(url_for("portal.release", name=app.name, number=release.number), 303)
