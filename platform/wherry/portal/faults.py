"""Errors as pages: what failed, the evidence, the next command. Never a traceback."""

from __future__ import annotations

import logging
import secrets

from flask import render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    PlatformFault,
    RollbackRisk,
    TooManyTries,
    Unauthorized,
    WherryError,
)

log = logging.getLogger(__name__)

STATUS: dict[type[WherryError], tuple[int, str]] = {
    InvalidInput: (422, "That does not work"),
    NotFound: (404, "Not found"),
    Conflict: (409, "Not now"),
    RollbackRisk: (409, "Only if you say so"),
    TooManyTries: (429, "Wait a little"),
    Unauthorized: (401, "Log in first"),
    Forbidden: (403, "Not allowed"),
    PlatformFault: (503, "The platform has a fault"),
}
_OTHER = (422, "That did not work")


def known(error: WherryError) -> tuple[str, int] | tuple[str, int, dict[str, str]]:
    status, title = STATUS.get(type(error), _OTHER)
    hint = error.hint or ("For your apps: wherry apps" if status == 404 else "")
    if status == 503:
        log.warning("%s %s: %s", request.method, request.path, " | ".join(error.lines()))
    page = _page(status, title, error.message, error.evidence, hint)
    return (*page, {"Retry-After": str(error.retry_after)}) if isinstance(error, TooManyTries) else page


def refused(error: HTTPException) -> tuple[str, int] | tuple[str, int, dict[str, str]] | AnyResponse:
    """What Flask itself refuses: no such path, no such method, a body that cannot be read."""
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    if error.code == 404:
        return known(NotFound("there is no such page", hint="All your apps are at /dashboard."))
    return _page(error.code, error.name, error.description or error.name, (), "")


def unforeseen(error: Exception) -> tuple[str, int]:
    """The door's one broad catch. The page carries an id that stands beside the traceback in the log."""
    number = secrets.token_hex(8)
    log.error("request %s, %s %s, failed", number, request.method, request.path, exc_info=error)
    message = "Something failed that we did not foresee. Nothing is known to be changed."
    return _page(
        500, "Our fault", message, (f"request {number}",), "The platform's own log has the rest beside this id."
    )


def _page(status: int, title: str, message: str, evidence: tuple[str, ...], hint: str) -> tuple[str, int]:
    shown = render_template(
        "portal/error.html", status=status, title=title, message=message, evidence=evidence, hint=hint
    )
    return shown, status
