"""git over HTTP: /NAME.git/…, the token as password. Who may, and for which app, is decided here; git does the rest."""

from __future__ import annotations

import secrets

from flask import Flask, Request, Response, g, request
from werkzeug.exceptions import ClientDisconnected

from wherry.api.auth import authenticate
from wherry.api.desk import Desk
from wherry.api.hooks import PREFIX
from wherry.api.tickets import PushTicket
from wherry.domain.model import Actor, App
from wherry.domain.roles import Permission
from wherry.domain.secret import Secret
from wherry.settings import Settings
from wherry.sources.body import Readable
from wherry.sources.transport import GitRequest, HookCall, Service, service_of

PATH = "/<name>.git/<path:rest>"
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


def add_routes(api: Flask, desk: Desk) -> None:
    def view(name: str, rest: str) -> Response:
        g.plain_errors = True
        actor = authenticate(request, desk.world.access)
        app = desk.world.access.app(actor, name, _needed(rest))
        return _passed_on(desk, actor, app, rest)

    api.add_url_rule(
        PATH, f"git {PATH}".replace(".", " "), view, methods=["GET", "POST"], provide_automatic_options=False
    )


def _needed(rest: str) -> Permission:
    """Whatever is not known to fetch only is taken for a push."""
    query = request.query_string.decode("latin-1")
    return Permission.CODE if service_of(rest, query) is Service.FETCH else Permission.DEPLOY


def _passed_on(desk: Desk, actor: Actor, app: App, rest: str) -> Response:
    query = request.query_string.decode("latin-1")
    pushes = service_of(rest, query) is Service.PUSH
    asked = GitRequest(
        app_id=app.id,
        method=request.method,
        path=rest,
        query=query,
        content_type=request.headers.get("Content-Type", ""),
        content_encoding=request.headers.get("Content-Encoding", ""),
        protocol=request.headers.get("Git-Protocol", ""),
        body=_Body(request),
        hook=_hook_call(desk, actor, app) if pushes else None,
    )
    answer = desk.world.git.serve(asked)
    response = Response(answer.body, answer.status, headers=list(answer.headers))
    response.call_on_close(answer.close)
    return response


def _hook_call(desk: Desk, actor: Actor, app: App) -> HookCall:
    marker = secrets.token_hex(16)
    ticket = PushTicket(app.id, actor.email, marker, f"git {request.remote_addr} request {g.request_id}")
    return HookCall(hook_url(desk.world.settings), Secret(desk.tickets.for_push(ticket)), marker)


def hook_url(settings: Settings) -> str:
    """Where a hook on this machine reaches us: the address that we listen on, or the loopback of all."""
    host = "127.0.0.1" if settings.bind in _EVERYWHERE else settings.bind
    return f"http://{host}:{settings.web_port}{PREFIX}"


class _Body:
    """The request's stream, whose broken end is an OSError, as of any other stream."""

    def __init__(self, request: Request) -> None:
        self._stream: Readable = request.stream

    def read(self, size: int, /) -> bytes:
        try:
            return self._stream.read(size)
        except ClientDisconnected as error:
            raise ConnectionResetError("the client has gone") from error
