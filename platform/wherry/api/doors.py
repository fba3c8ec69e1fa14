"""The API as a Flask app of its own, and its place beside the portal's pages in one process.

Two apps rather than one: the pages have sessions, form tokens and HTML errors; here none of those may apply.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from wherry import __version__
from wherry.api import described, errors, git, hooks, registry
from wherry.api.auth import authenticate
from wherry.api.desk import Call, Desk
from wherry.api.routes.table import ROUTES, Route
from wherry.api.shapes import Shapes
from wherry.domain.errors import WherryError
from wherry.domain.roles import of_app
from wherry.domain.versions import HEADER
from wherry.wiring.web import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PAGES = ("/dashboard", "/login", "/logout", "/static", "/favicon.ico")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Vary": "Authorization, Accept",
}


def install(app: Flask, world: World) -> None:
    """Every path but the portal's pages is answered by the API from now on."""
    app.wsgi_app = _Doors(pages=app.wsgi_app, api=create_api(world))  # type: ignore[method-assign]


def create_api(world: World) -> Flask:
    """The API, git over HTTP and the hooks' answers. Serves no page and no file."""
    api = Flask("wherry.api", static_folder=None)
    api.json.sort_keys = False  # type: ignore[attr-defined]
    api.url_map.merge_slashes = False
    desk = Desk.of(world)
    for route in ROUTES:
        _add(api, route.name, route.path, route.method, _view(desk, route))
    described.add_route(api, ROUTES)
    git.add_routes(api, desk)
    registry.add_routes(api, desk)
    hooks.add_routes(api, desk)
    api.before_request(_name_the_request)
    api.after_request(_dress)
    api.register_error_handler(WherryError, errors.known)
    api.register_error_handler(HTTPException, errors.refused)
    api.register_error_handler(Exception, errors.unforeseen)
    return api


class _Doors:
    def __init__(self, pages: WSGIApplication, api: Flask) -> None:
        self.pages, self.api = pages, api

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        is_page = any(path == page or path.startswith(page + "/") for page in PAGES)
        return (self.pages if is_page else self.api)(environ, start_response)


def _add(api: Flask, name: str, path: str, method: str, view: Callable[..., ResponseReturnValue]) -> None:
    api.add_url_rule(path, name.replace(".", " "), view, methods=[method], provide_automatic_options=False)


def _view(desk: Desk, route: Route) -> Callable[..., ResponseReturnValue]:
    def view(**path: str) -> ResponseReturnValue:
        if route.needs is None:
            return route.function(desk, **path)
        call = _call(desk)
        if of_app(route.needs):
            return route.function(call, desk.app(call.actor, path.pop("app"), route.needs), **path)
        desk.world.access.admit(call.actor, route.needs)
        return route.function(call, **path)

    return view


def _call(desk: Desk) -> Call:
    actor = authenticate(request, desk.world.access)
    g.rate_left = 0
    g.rate_left = desk.rates.spend(actor.id)
    shapes = Shapes(desk.world.settings, desk.ids, desk.tickets, request.host_url.rstrip("/"), desk.world.ssh)
    return Call(desk, actor, shapes, f"api {request.remote_addr} request {g.request_id}")


def _name_the_request() -> None:
    g.request_id = str(uuid.uuid4())


def _dress(response: Response) -> Response:
    response.headers["Request-Id"] = g.request_id
    response.headers[HEADER] = __version__
    if (left := g.get("rate_left")) is not None:
        response.headers["RateLimit-Remaining"] = str(left)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return _unless_known(response)


def _unless_known(response: Response) -> Response:
    """304 for what the client has already (RFC 9110, section 13.1.2): it asks with If-None-Match."""
    if request.method in ("GET", "HEAD") and response.status_code == 200 and response.is_json:
        response.add_etag()
        response.make_conditional(request)
    return response
