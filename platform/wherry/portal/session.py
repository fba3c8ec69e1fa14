"""Who is logged in: a signed cookie that holds the key of a session, for twelve hours from the login on.

The ledger keeps the session (flow/tokens.py) and is asked on each request, so one that was ended, or whose account is
gone, is out at once, whoever has the cookie. The key opens no other door.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from flask import Flask, Request, g, request, session
from flask.sessions import SecureCookieSessionInterface

from wherry.domain.errors import Forbidden, Unauthorized
from wherry.domain.model import Actor
from wherry.domain.secret import Secret
from wherry.flow.tokens import SESSION_LIVES
from wherry.wiring.web import World

CSRF_FIELD = "csrf_token"
KEY = "session"
_LOCAL = re.compile(r"/dashboard(?:[/?][A-Za-z0-9._~/?&=%-]*)?")


class PortalSessions(SecureCookieSessionInterface):
    """Flask's signed cookie with SHA-256; over https it is Secure and bound to this host by its name's prefix."""

    digest_method = staticmethod(hashlib.sha256)

    def get_cookie_name(self, app: Flask) -> str:
        return "__Host-wherry" if request.is_secure else "wherry_session"

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def get_cookie_httponly(self, app: Flask) -> bool:
        return True

    def get_cookie_samesite(self, app: Flask) -> str:
        return "Lax"

    def get_cookie_path(self, app: Flask) -> str:
        return "/"


def install_sessions(app: Flask, key: Secret) -> None:
    """The signing key is derived from `key`, so that nothing else signed by it can be taken for a session."""
    app.secret_key = hmac.digest(key.reveal().encode(), b"wherry portal session", "sha256")
    app.config["PERMANENT_SESSION_LIFETIME"] = SESSION_LIVES
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    app.session_interface = PortalSessions()


def log_in(world: World, actor: Actor) -> None:
    """Begins a new session: nothing of the one before it stays, its form token included."""
    key = world.sessions.begin(actor, origin())
    session.clear()
    session.permanent = True
    session[KEY] = key.reveal()


def log_out(world: World) -> None:
    """Ends the session itself, not only this browser's knowledge of it."""
    if (known := logged_in(world)) is not None:
        world.sessions.end(known, Secret(session[KEY]), origin())
    session.clear()


def logged_in(world: World) -> Actor | None:
    """The actor of this request's session, as the ledger knows it now."""
    key = session.get(KEY)
    return world.sessions.actor(Secret(key)) if isinstance(key, str) else None


def origin() -> str:
    """Where a change came from, for its event."""
    return f"portal {request.remote_addr} request {g.request_id}"


def actor() -> Actor:
    """The actor that the door let in. Raises Unauthorized."""
    known = g.get("actor")
    if not isinstance(known, Actor):
        raise Unauthorized("you are not logged in", hint="For a login link: wherry login:link")
    return known


def csrf_token() -> str:
    """The secret of this session that every unsafe form sends back."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(32)
    return str(session["csrf"])


def check_csrf(asked: Request) -> None:
    """Raises Forbidden unless the form carries this session's token."""
    expected = str(session.get("csrf", "")).encode()
    given = asked.form.get(CSRF_FIELD, "").encode("utf-8", "surrogatepass")
    if not expected or not hmac.compare_digest(expected, given):
        raise Forbidden("this form is not from your session, or has expired", hint="Reload the page and send it again.")


def local_path(text: str | None, default: str) -> str:
    """`text` when it is a path of the dashboard, else `default`: a login must not lead to a foreign site."""
    return text if text and _LOCAL.fullmatch(text) and "//" not in text else default
