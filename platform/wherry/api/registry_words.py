"""What engines and we say to each other about images: the paths below /v2/, and errors in the shape of registries."""

from __future__ import annotations

import re

from flask import Response, g, jsonify

from wherry.api.errors import REALM, status_of
from wherry.domain.errors import InvalidInput, WherryError

PATH = re.compile(
    r"(?P<app>[^/]+)/(?P<type>[^/]+)/"
    r"(?:manifests/(?P<reference>[^/]+)|blobs/uploads/(?P<session>[^/]*)|blobs/(?P<digest>[^/]+)|(?P<tags>tags/list))"
)
"""Below /v2/ (distribution spec, "Endpoints")."""
_CODES = {
    400: "NAME_INVALID",
    401: "UNAUTHORIZED",
    403: "DENIED",
    404: "NAME_UNKNOWN",
    405: "UNSUPPORTED",
    413: "SIZE_INVALID",
    416: "RANGE_INVALID",
    429: "TOOMANYREQUESTS",
    503: "UNAVAILABLE",
}
_UNKNOWN = {"reference": "MANIFEST_UNKNOWN", "digest": "BLOB_UNKNOWN", "session": "BLOB_UPLOAD_UNKNOWN"}
_IDS = {401: "unauthorized", 403: "forbidden", 404: "not_found", 413: "too_large", 503: "platform_fault"}


def known(error: WherryError, rest: str) -> Response:
    """With the next command in its words: engines show the message only."""
    status = 400 if isinstance(error, InvalidInput) else status_of(error)
    message = ". ".join(filter(None, [error.message, *error.evidence, error.hint]))
    response = refused(status, rest, message)
    if status in (429, 503):
        response.headers["Retry-After"] = "5"
    return response


def refused(status: int, rest: str, message: str) -> Response:
    """In the shape of registries (distribution spec, "Error codes"), and in ours beside it, for our own CLI."""
    code = _CODES.get(status, "UNKNOWN")  # of a name that is not known engines do not try again
    if status == 404 and g.get("app_is_known") and (found := PATH.fullmatch(rest)):
        code = next((name for part, name in _UNKNOWN.items() if found[part] is not None), code)
    told = {"code": code, "message": message, "detail": {"request": g.request_id}}
    ours = {"id": _IDS.get(status, "bad_request"), "message": message, "request_id": g.request_id}
    response = jsonify({"errors": [told], **ours})
    response.status_code = status
    if status == 401:
        response.headers["WWW-Authenticate"] = REALM
    return response
