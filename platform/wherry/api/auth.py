"""Who asks: one token, as `Authorization: Bearer TOKEN` or as the password of Basic. Never a cookie, never the URL."""

from __future__ import annotations

import base64
import binascii

from flask import Request

from wherry.api.errors import BadRequest
from wherry.domain.model import Actor
from wherry.domain.secret import Secret
from wherry.flow.access import Access

_IN_URL = ("access_token", "api_key", "token")


def authenticate(request: Request, access: Access) -> Actor:
    """Raises Unauthorized, the same for no token, a malformed one and an unknown one; BadRequest for two headers
    and for a token in the URL, where logs would keep it.
    """
    if any(name in request.args for name in _IN_URL):
        raise BadRequest("a token in the URL is not taken", hint="Send it as: Authorization: Bearer TOKEN")
    return access.actor(_token(request.headers.get("Authorization", "")), request.remote_addr or "")


def _token(header: str) -> Secret:
    """The empty token, which nobody has, for whatever cannot be read. Servers join repeated headers with a comma,
    and neither base64 nor a token of ours has one.
    """
    if "," in header:
        raise BadRequest("there is more than one Authorization header")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return Secret(value.strip(" "))
    if scheme.lower() == "basic":
        return _password(value)
    return Secret("")


def _password(encoded: str) -> Secret:
    try:
        pair = base64.b64decode(encoded.strip(" ").encode("latin-1"), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return Secret("")
    return Secret(pair.partition(":")[2])
