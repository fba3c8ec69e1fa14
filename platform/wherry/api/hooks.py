"""What git's hooks ask while a push waits: pre-receive builds, post-receive releases. Both answer with the lines that
the pusher reads, as they come; the last is the ticket's marker and the exit code of the hook (hook/ask.bash reads it).

The hook speaks for one push only, by a ticket that the transport put into its environment. When it goes away its
answer ends; the build goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Request, Response, g, request

from wherry.api.desk import Desk
from wherry.api.routes.logs import stored_lines
from wherry.api.streams import Lines, plain
from wherry.api.tickets import LogTicket, PushTicket
from wherry.domain.errors import PushRefused, Unauthorized, WherryError
from wherry.domain.model import Actor, App, Release, ReleaseStatus
from wherry.domain.refs import MOST_UPDATES, RefUpdate
from wherry.domain.roles import Permission
from wherry.flow.ports import Push
from wherry.flow.talk import detail, trouble

log = logging.getLogger(__name__)

QUARANTINE_HEADER = "X-Wherry-Quarantine"
MOST_BYTES = 16 * 1024 * 1024  # any push that git takes; how many refs are too many is the domain's to say
PREFIX = "/hooks"
PATHS = (f"{PREFIX}/pre-receive", f"{PREFIX}/post-receive")
Talk = Generator[str | None, None, None]


def add_routes(api: Flask, desk: Desk) -> None:
    for path, story in zip(PATHS, (_pre_receive, _post_receive), strict=True):
        view = _view(desk, story)
        api.add_url_rule(path, f"POST {path}", view, methods=["POST"], provide_automatic_options=False)


@dataclass(frozen=True)
class _Hook:
    """One hook that waits: whose push, and what git said to it."""

    desk: Desk
    ticket: PushTicket
    actor: Actor
    updates: tuple[RefUpdate, ...]
    quarantine: Path | None
    request_id: str


def _view(desk: Desk, story: Callable[[_Hook], Talk]) -> Callable[[], Response]:
    def view() -> Response:
        g.plain_errors = True
        ticket = desk.tickets.push(request.headers.get("Authorization", "").removeprefix("Bearer "))
        talk = _heard(desk, ticket, story)
        return Response(plain(request.environ, talk), mimetype="text/plain")

    return view


def _heard(desk: Desk, ticket: PushTicket, story: Callable[[_Hook], Talk]) -> Lines:
    """Reads git's words now, while the request is there; what is wrong with them is said to the pusher."""
    try:
        hook = _Hook(desk, ticket, _actor(desk, ticket), _updates(request), _quarantine(request), g.request_id)
    except WherryError as error:
        return _refusal(ticket, error)
    return _marked(hook, story)


def _marked(hook: _Hook, story: Callable[[_Hook], Talk]) -> Talk:
    """The story's lines, an error's lines in their place, then the marker with the code; the marker alone when all is
    quiet. The door's broad catch is here, since the answer's head has long been sent when a story fails.
    """
    code = 0
    try:
        for line in story(hook):
            yield hook.ticket.marker if line is None else line
    except WherryError as error:
        yield from _told(error)
        code = 1
    except Exception:
        log.exception("request %s: a hook of app %s failed", hook.request_id, hook.ticket.app_id)
        yield f" !     Something failed that we did not foresee (request {hook.request_id})."
        code = 1
    yield f"{hook.ticket.marker} {code}"


def _refusal(ticket: PushTicket, error: WherryError) -> Talk:
    yield from _told(error)
    yield f"{ticket.marker} 1"


def _told(error: WherryError) -> list[str]:
    lines: list[str] = []
    trouble(lines.append, error)
    return lines


def _pre_receive(hook: _Hook) -> Talk:
    world, said = hook.desk.world, list[str]()
    push = Push(hook.ticket.app_id, hook.actor, hook.updates, hook.quarantine, hook.ticket.origin)
    build = world.push.run(push, said.append)
    yield from said
    if build:
        # Once git's client is gone nothing can be said any more, so it is said before.
        yield f"       Build {build.id} goes on if you leave it (Ctrl-C). To see it again: wherry builds:output {build.id}"
        earlier, at_once = world.push.before(build), world.settings.number("builds_at_once")
        if earlier >= at_once:
            yield f"       It waits: {earlier} earlier than this, {at_once} at a time"
        yield from world.push.follow(build)


def _post_receive(hook: _Hook) -> Talk:
    for update in hook.updates:
        release = hook.desk.world.release.of_update(hook.ticket.app_id, update)
        if release:
            yield from _rolled_out(hook, release)


def _rolled_out(hook: _Hook, release: Release) -> Talk:
    world = hook.desk.world
    yield from stored_lines(hook.desk, LogTicket(release.app_id, "release", release.id))
    with world.ledger.begin(read_only=True) as tx:
        app = tx.apps.by_id(release.app_id)
        ended = tx.releases.by_id(release.id)
        current = tx.releases.current(app.id)
    lines: list[str] = []
    if ended.status is ReleaseStatus.SUCCEEDED:
        detail(lines.append, f"{world.settings.app_url(app.name)} deployed to Wherry")
    else:
        lines += _not_serving(app, ended, current)
    yield from lines


def _not_serving(app: App, release: Release, current: Release | None) -> Sequence[str]:
    serves = f"{current.name} still serves" if current else "nothing serves yet"
    return (
        " !     ",
        f" !     {release.name} was NOT deployed ({release.failure or 'it did not end'}). The push was stored; {serves}.",
        f" !     To see why: wherry releases:output {release.name} -a {app.name}",
        " !     To try again: correct it, commit, and git push wherry",
    )


def _actor(desk: Desk, ticket: PushTicket) -> Actor:
    with desk.world.ledger.begin(read_only=True) as tx:
        actor = tx.accounts.by_email(ticket.email)
    if actor is None:
        raise Unauthorized("your account is gone")
    desk.world.access.app(actor, str(ticket.app_id), Permission.DEPLOY)
    return actor


def _updates(request: Request) -> tuple[RefUpdate, ...]:
    raw = request.stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise PushRefused(f"this push changes more than {MOST_UPDATES} refs", hint="Push one: git push wherry main")
    lines = raw.decode("utf-8", "backslashreplace").split("\n")
    return tuple(RefUpdate.parse(line) for line in lines if line)


def _quarantine(request: Request) -> Path | None:
    """Where git keeps the push's objects until its hooks agree; sources checks that it is inside the repository."""
    text = request.headers.get(QUARANTINE_HEADER, "")
    return Path(text) if text else None
