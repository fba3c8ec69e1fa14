"""Errors as answers: the one table from the domain's kinds to statuses, and Heroku's shape around them.

Heroku's error ids are ours where both have the case: invalid_params, not_found, unauthorized, forbidden.
"""

from __future__ import annotations

import logging

from flask import Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from wherry.api.elsewhere import area_of
from wherry.domain import errors
from wherry.domain.errors import WherryError
from wherry.domain.text import printable

log = logging.getLogger(__name__)

STATUS: dict[type[WherryError], int] = {
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.RollbackRisk: 409,
    errors.Unauthorized: 401,
    errors.TooManyTries: 429,
    errors.Forbidden: 403,
    errors.PushRefused: 422,
    errors.BuildFailed: 422,
    errors.RolloutFailed: 422,
    errors.Cancelled: 409,
    errors.PlatformFault: 503,
}
REALM = 'Basic realm="Wherry"'
RETRY_AFTER = "5"
ENDPOINT = "endpoint"
"""`resource` of an error whose path or method is not there at all, so that a newer client can tell it apart."""

_HEROKUS = "application/vnd.heroku+json"
_HTTP_IDS = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 416: "bad_range"}


class BadRequest(WherryError):
    """What HTTP itself refuses, before any of the domain's kinds can be told: `status` 400, 413, 415, 416 or 429.
    `retry_after`: seconds until it is worth another try; 0 when it is not.
    """

    id = "bad_request"

    def __init__(self, message: str, *, status: int = 400, hint: str = "", retry_after: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.retry_after = retry_after


def status_of(error: WherryError) -> int:
    return error.status if isinstance(error, BadRequest) else STATUS[type(error)]


def id_of(error: WherryError) -> str:
    return {413: "too_large", 415: "unsupported_media_type", 416: "bad_range", 429: "rate_limit"}.get(
        status_of(error), error.id
    )


def known(error: WherryError) -> Response:
    status = status_of(error)
    if status == 503:
        log.warning("request %s: %s", g.request_id, " | ".join(error.lines()), exc_info=error)
    response = _answer(status, id_of(error), error.message, list(error.evidence), error.hint)
    if isinstance(error, BadRequest | errors.TooManyTries) and error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def refused(error: HTTPException) -> Response:
    """What routing or the server refuses: no such path, no such method, a request that cannot be read."""
    status = error.code or 400
    if error.response is not None or status < 400:
        return Response(error.get_response().get_data(), status, dict(error.get_headers()))
    resource = ENDPOINT if status in (404, 405) else ""
    response = _answer(status, _HTTP_IDS.get(status, "bad_request"), *_words(status, error), resource)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def unforeseen(error: Exception) -> Response:
    """The door's one broad catch: the traceback goes to the log under the request's id, never to the client."""
    log.error("request %s, %s %s, failed", g.request_id, request.method, printable(request.path), exc_info=error)
    hint = f"The platform's log has the whole story under request {g.request_id}: wherry doctor"
    return _answer(500, "internal_server_error", "something failed that we did not foresee", [], hint)


def _words(status: int, error: HTTPException) -> tuple[str, list[str], str]:
    path = printable(request.path, 120)
    if status in (404, 405) and (area := area_of(request.path, request.method)):
        return f"this platform has no {area.what}", [], area.hint
    if status == 404:
        return f"there is no {path} here", [], "The paths that there are stand in docs/api.md."
    if status == 405:
        return f"{path} does not take {printable(request.method, 20)}", [], ""
    return error.description or error.name, [], ""


def _answer(status: int, error_id: str, message: str, problems: list[str], hint: str, resource: str = "") -> Response:
    """JSON for programs; plain lines where git reads, which shows them to its user. Heroku's clients show the message and
    no more, so theirs is the whole story.
    """
    whole = "\n".join([message, *problems, *([hint] if hint else [])])
    if g.get("plain_errors"):
        response = Response(whole + "\n", status, mimetype="text/plain")
    else:
        told = whole if _HEROKUS in request.headers.get("Accept", "") else message
        body = {"id": error_id, "message": told, "request_id": g.request_id}
        body |= {"resource": resource} if resource else {}
        response = jsonify(body | ({"problems": problems} if problems else {}) | ({"hint": hint} if hint else {}))
        response.status_code = status
    if status == 401:
        response.headers["WWW-Authenticate"] = REALM
    if status == 503:
        response.headers["Retry-After"] = RETRY_AFTER
    return response
