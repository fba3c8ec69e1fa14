"""The JSON body of a request: one object, small, unambiguous."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from flask import Request

from wherry.api.errors import BadRequest
from wherry.domain import strict_json
from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

MOST_BYTES = 1024 * 1024
_TYPES = ("application/json", "application/vnd.heroku+json")


def json_object(request: Request) -> dict[str, object]:
    """{} for no body. Raises BadRequest (400 not JSON or a key twice, 413 over 1 MiB, 415 not JSON by its type) and
    InvalidInput for JSON that is not an object.
    """
    raw = _bytes(request)
    if not raw:
        return {}
    _check_type(request)
    try:
        value = strict_json.read(raw)
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {printable(str(error))}") from None
    if not isinstance(value, dict):
        raise InvalidInput("the body is not a JSON object", problems=[f"it is {_kind(value)}"])
    return value


def only(body: Mapping[str, object], known: Collection[str]) -> None:
    """Raises InvalidInput that names every key of `body` that is not in `known`: a typo must not pass as a default."""
    if unknown := sorted(set(body) - set(known)):
        raise InvalidInput(
            "the request has keys that this path does not know",
            problems=[f"{printable(key, 60)}: not known (known are: {', '.join(sorted(known))})" for key in unknown],
        )


def text(body: Mapping[str, object], key: str) -> str | None:
    """A string or nothing. Raises InvalidInput for any other type."""
    value = body.get(key)
    if value is None or isinstance(value, str):
        return value
    raise InvalidInput("the request is not right", problems=[f"{key}: must be a string, is {_kind(value)}"])


def flag(body: Mapping[str, object], key: str) -> bool:
    """False where it is absent. Raises InvalidInput for any other type."""
    value = body.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise InvalidInput("the request is not right", problems=[f"{key}: must be true or false, is {_kind(value)}"])


def _bytes(request: Request) -> bytes:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise BadRequest("an encoded body is not taken", status=415, hint="Send it as it is, without Content-Encoding.")
    if (request.content_length or 0) > MOST_BYTES:
        raise BadRequest("the body is larger than 1 MiB", status=413)
    raw = request.stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise BadRequest("the body is larger than 1 MiB", status=413)
    return raw


def _check_type(request: Request) -> None:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in _TYPES or charset not in ("utf-8", "utf8"):
        given = printable(request.headers.get("Content-Type", "none"), 100)
        raise BadRequest(f"the body's type is {given}", status=415, hint="Send: Content-Type: application/json")


def _kind(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list"}
    return "null" if value is None else names.get(type(value), "an object")
