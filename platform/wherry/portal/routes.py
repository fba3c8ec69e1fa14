"""Which path leads to which page: the one table, and what stands around it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Blueprint, Flask, g, url_for
from werkzeug.exceptions import HTTPException

from wherry.domain.errors import WherryError
from wherry.portal import faults, text
from wherry.portal.actions import Actions
from wherry.portal.guard import Guard
from wherry.portal.live import Live
from wherry.portal.login import Login
from wherry.portal.pages import Pages
from wherry.portal.session import csrf_token, install_sessions
from wherry.wiring import World

APP = "/dashboard/apps/<name>"
NUMBER = "<int(max=2147483647):number>"
RELEASE = f"{APP}/releases/{NUMBER}"
BUILD = f"{APP}/builds/{NUMBER}"
STATIC = Path(__file__).parent / "static"
FILTERS = (text.clean, text.absolute, text.machine, text.ago, text.span, text.activity)


def install_pages(app: Flask, world: World) -> None:
    """Adds every page to `app`, with sessions and errors. Whatever else `app` serves by itself is a page too."""
    install_sessions(app, world.ticket_key)
    app.register_blueprint(_pages(world))
    guard = Guard(world)
    app.before_request(guard.let_in)
    app.after_request(guard.dress)
    app.register_error_handler(WherryError, faults.known)
    app.register_error_handler(HTTPException, faults.refused)
    app.register_error_handler(Exception, faults.unforeseen)
    for each in FILTERS:
        app.add_template_filter(each)
    versions = {path.name: _version(path) for path in STATIC.iterdir()}

    @app.context_processor
    def _surround() -> dict[str, object]:
        return {
            "actor": g.get("actor"),
            "now": world.clock.now(),
            "csrf_token": csrf_token,
            "asset": lambda name: url_for("portal.static", filename=name, v=versions[name]),
        }


def _pages(world: World) -> Blueprint:
    pages = Blueprint(
        "portal",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/dashboard/static",
    )
    read, act, live, login = Pages(world), Actions(world), Live(world), Login(world)
    pages.add_url_rule("/", "home", read.home)
    pages.add_url_rule("/login", "login", login.page, methods=["GET", "POST"])
    pages.add_url_rule("/logout", "log_out", login.leave, methods=["GET", "POST"])
    pages.add_url_rule("/dashboard", "apps", read.apps, strict_slashes=False)
    pages.add_url_rule(APP, "app", read.app)
    pages.add_url_rule(f"{APP}/scale", "scale", act.scale, methods=["POST"])
    pages.add_url_rule(f"{APP}/activity", "activity", read.activity)
    pages.add_url_rule(f"{APP}/logs", "logs", read.logs)
    pages.add_url_rule(f"{APP}/logs/events", "logs_live", live.logs)
    pages.add_url_rule(RELEASE, "release", read.release)
    pages.add_url_rule(f"{RELEASE}/log.txt", "release_text", read.release_text)
    pages.add_url_rule(f"{RELEASE}/events", "release_live", live.release)
    pages.add_url_rule(f"{RELEASE}/rollback", "ask_rollback", act.ask_rollback)
    pages.add_url_rule(f"{RELEASE}/rollback", "roll_back", act.roll_back, methods=["POST"])
    pages.add_url_rule(BUILD, "build", read.build)
    pages.add_url_rule(f"{BUILD}/log.txt", "build_text", read.build_text)
    pages.add_url_rule(f"{BUILD}/events", "build_live", live.build)
    return pages


def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
