"""Who is logged in: a signed cookie that holds the actor's id and e-mail, for twelve hours from the login on.

The cookie carries no token. The actor is looked up again on each request, so an account that is gone is out at once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta

from flask import Flask, Request, g, request, session
from flask.sessions import SecureCookieSessionInterface

from wherry.domain.errors import Forbidden, Unauthorized
from wherry.domain.model import Actor
from wherry.domain.secret import Secret
from wherry.flow.ledger_ports import Ledger

LIFETIME = timedelta(hours=12)
CSRF_FIELD = "csrf_token"
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
    app.config["PERMANENT_SESSION_LIFETIME"] = LIFETIME
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    app.session_interface = PortalSessions()


def log_in(actor: Actor, now: datetime) -> None:
    """Begins a new session: nothing of the one before it stays, its form token included."""
    session.clear()
    session.permanent = True
    session["actor"] = actor.id
    session["email"] = actor.email
    session["until"] = int((now + LIFETIME).timestamp())


def log_out() -> None:
    session.clear()


def logged_in(ledger: Ledger, now: datetime) -> Actor | None:
    """The actor of this request's session, as the ledger knows it now."""
    email, until = session.get("email"), session.get("until")
    if not isinstance(email, str) or not isinstance(until, int) or until <= now.timestamp():
        return None
    with ledger.begin(read_only=True) as tx:
        found = tx.accounts.by_email(email)
    return found if found is not None and found.id == session.get("actor") else None


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
