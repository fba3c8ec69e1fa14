"""What stands before and behind every page: the login, the form token, a cap on bodies, and the headers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import quote

from flask import Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import InvalidInput, Unauthorized
from wherry.portal.session import check_csrf, local_path, logged_in
from wherry.wiring.web import World

OPEN = frozenset({"portal.login", "portal.log_out", "portal.static"})
MOST_BODY = 64 * 1024

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Guard:
    world: World

    def let_in(self) -> AnyResponse | None:
        """Before each request: knows the actor, refuses forms that are not ours, sends strangers to the login."""
        g.actor, g.request_id = None, str(uuid.uuid4())
        if request.endpoint in (None, "portal.static"):
            return None  # a file of ours, or no page at all
        g.actor = logged_in(self.world)
        if g.actor is None and request.endpoint not in OPEN:
            return self._to_login()
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            self._check_form()
        return None

    def _to_login(self) -> AnyResponse:
        if request.accept_mimetypes.best == "text/event-stream":
            raise Unauthorized("you are not logged in", hint="For a login link: wherry login:link")
        asked = request.full_path.rstrip("?") if request.method == "GET" else ""
        wanted = local_path(quote(asked, safe="/?&=%"), "")
        return redirect(url_for("portal.login", next=wanted or None), 303)

    def _check_form(self) -> None:
        if request.content_length is None or request.content_length > MOST_BODY:
            raise InvalidInput("this form is too large", problems=[f"the most is {MOST_BODY // 1024} KiB"])
        check_csrf(request)

    def dress(self, response: Response) -> Response:
        """After each request. Pages are private: no cache may keep them. A file asked for by its version never changes."""
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers["Request-Id"] = g.request_id
        if request.endpoint != "portal.static":
            response.headers["Cache-Control"] = "no-store"
        elif "v" in request.args:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
