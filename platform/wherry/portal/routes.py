"""Which path leads to which page: the one table, and what stands around it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from flask import Blueprint, Flask, g, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import WherryError
from wherry.domain.roles import Permission
from wherry.portal import faults, text
from wherry.portal.account import AccountPages
from wherry.portal.actions import Actions
from wherry.portal.config import ConfigPages
from wherry.portal.crons import CronPages
from wherry.portal.domains import DomainPages
from wherry.portal.drains import DrainPages
from wherry.portal.guard import Guard
from wherry.portal.live import Live
from wherry.portal.lives import LifePages
from wherry.portal.login import Login
from wherry.portal.pages import Pages
from wherry.portal.people import PeoplePages
from wherry.portal.pipelines import PipelinePages
from wherry.portal.processes import ProcessPages
from wherry.portal.session import actor, csrf_token, install_sessions
from wherry.portal.transfers import TransferPages
from wherry.portal.users import UserPages
from wherry.portal.webhooks import WebhookPages
from wherry.wiring.web import World

APP = "/dashboard/apps/<name>"
NUMBER = "<int(max=2147483647):number>"
RELEASE = f"{APP}/releases/{NUMBER}"
BUILD = f"{APP}/builds/{NUMBER}"
WEBHOOK = f"{APP}/webhooks/{NUMBER}"
PIPELINE = f"/dashboard/pipelines/{NUMBER}"
TRANSFER = f"/dashboard/transfers/{NUMBER}"
USER = f"/dashboard/users/{NUMBER}"
Answer = AnyResponse | str | tuple[str, int]
STATIC = Path(__file__).parent / "static"
FILTERS = (text.clean, text.absolute, text.machine, text.ago, text.span, text.activity, text.whole, text.sentence)


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
            "allowed": lambda app: world.access.permissions(actor(), app),
            "admitted": lambda permission: world.access.admits(actor(), Permission(permission)),
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
    for name, path, view, methods in _table(world):
        pages.add_url_rule(path, name, view, methods=methods, strict_slashes=name != "apps")
    return pages


def _table(world: World) -> Iterator[tuple[str, str, Callable[..., Answer], list[str]]]:
    """(name, path, page, methods). Each page asks for its own permission before all else."""
    read, act, live, login = Pages(world), Actions(world), Live(world), Login(world)
    config, processes, crons = ConfigPages(world), ProcessPages(world), CronPages(world)
    domains, drains, people = DomainPages(world), DrainPages(world), PeoplePages(world)
    pipelines, account, users = PipelinePages(world), AccountPages(world), UserPages(world)
    webhooks, transfers, lives = WebhookPages(world), TransferPages(world), LifePages(world)
    get, post, both = ["GET"], ["POST"], ["GET", "POST"]

    yield "home", "/", read.home, get
    yield "login", "/login", login.page, both
    yield "log_out", "/logout", login.leave, both
    yield "apps", "/dashboard", read.apps, get
    yield "ask_create", "/dashboard/create", lives.ask_create, get
    yield "create", "/dashboard/create", lives.create, post
    yield "app", APP, read.app, get
    yield "ask_destroy", f"{APP}/destroy", lives.ask_destroy, get
    yield "destroy", f"{APP}/destroy", lives.destroy, post
    yield "activity", f"{APP}/activity", read.activity, get
    yield "logs", f"{APP}/logs", read.logs, get
    yield "logs_live", f"{APP}/logs/events", live.logs, get
    yield "release", RELEASE, read.release, get
    yield "release_text", f"{RELEASE}/log.txt", read.release_text, get
    yield "release_live", f"{RELEASE}/events", live.release, get
    yield "ask_rollback", f"{RELEASE}/rollback", act.ask_rollback, get
    yield "roll_back", f"{RELEASE}/rollback", act.roll_back, post
    yield "build", BUILD, read.build, get
    yield "build_text", f"{BUILD}/log.txt", read.build_text, get
    yield "build_live", f"{BUILD}/events", live.build, get

    yield "processes", f"{APP}/processes", processes.show, get
    yield "scale", f"{APP}/scale", processes.scale, post
    yield "restart", f"{APP}/restart", processes.restart, post
    yield "maintain", f"{APP}/maintenance", processes.maintain, post
    yield "crons", f"{APP}/cron", crons.show, get
    yield "cron_run", f"{APP}/cron/tasks/{NUMBER}/run", crons.run, post
    yield "cron_text", f"{APP}/cron/runs/{NUMBER}/log.txt", crons.text, get
    yield "config", f"{APP}/config", config.show, get
    yield "config_reveal", f"{APP}/config/reveal", config.reveal, post
    yield "config_set", f"{APP}/config/set", config.put, post
    yield "config_unset", f"{APP}/config/unset", config.unset, post
    yield "domains", f"{APP}/domains", domains.show, get
    yield "domain_add", f"{APP}/domains/add", domains.add, post
    yield "domain_check", f"{APP}/domains/check", domains.check, post
    yield "domain_remove", f"{APP}/domains/remove", domains.remove, post
    yield "drains", f"{APP}/drains", drains.show, get
    yield "drain_add", f"{APP}/drains/add", drains.add, post
    yield "drain_remove", f"{APP}/drains/remove", drains.remove, post
    yield "webhooks", f"{APP}/webhooks", webhooks.show, get
    yield "webhook_add", f"{APP}/webhooks/add", webhooks.add, post
    yield "webhook", WEBHOOK, webhooks.edit, get
    yield "webhook_change", WEBHOOK, webhooks.change, post
    yield "webhook_remove", f"{WEBHOOK}/remove", webhooks.remove, post
    yield "deliveries", f"{APP}/webhooks/deliveries", webhooks.deliveries, get
    yield "delivery", f"{APP}/webhooks/deliveries/{NUMBER}", webhooks.delivery, get
    yield "people", f"{APP}/access", people.show, get
    yield "person_add", f"{APP}/access/add", people.add, post
    yield "person_change", f"{APP}/access/change", people.change, post
    yield "person_remove", f"{APP}/access/remove", people.remove, post
    yield "offer", f"{APP}/access/offer", people.offer, post

    yield "pipelines", "/dashboard/pipelines", pipelines.index, get
    yield "pipeline_create", "/dashboard/pipelines", pipelines.create, post
    yield "pipeline", PIPELINE, pipelines.show, get
    yield "pipeline_remove", f"{PIPELINE}/remove", pipelines.remove, post
    yield "pipeline_couple", f"{PIPELINE}/apps", pipelines.couple, post
    yield "pipeline_move", f"{PIPELINE}/move", pipelines.move, post
    yield "pipeline_promote", f"{PIPELINE}/promote", pipelines.promote, post
    yield "transfers", "/dashboard/transfers", transfers.show, get
    yield "transfer_answer", TRANSFER, transfers.answer, post
    yield "transfer_withdraw", f"{TRANSFER}/withdraw", transfers.withdraw, post
    yield "users", "/dashboard/users", users.show, get
    yield "user_add", "/dashboard/users", users.add, post
    yield "user_ask", f"{USER}/remove", users.ask_remove, get
    yield "user_remove", f"{USER}/remove", users.remove, post
    yield "account", "/dashboard/account", account.show, get
    yield "account_name", "/dashboard/account/name", account.name, post
    yield "token_add", "/dashboard/account/tokens", account.add_token, post
    yield "token_revoke", "/dashboard/account/tokens/revoke", account.revoke_token, post
    yield "token_rotate", "/dashboard/account/tokens/rotate", account.rotate_token, post
    yield "key_add", "/dashboard/account/keys", account.add_key, post
    yield "key_remove", "/dashboard/account/keys/remove", account.remove_key, post


def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
