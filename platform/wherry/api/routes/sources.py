"""/sources: where to put an archive before a build is made of it. The signed URL is the permission to put."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.desk import Call, Desk
from wherry.api.tickets import UploadTicket
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.model import App

_CHUNK = 1 << 16
_PATH = "/streams/sources/"


def create(call: Call) -> ResponseReturnValue:
    ticket = call.desk.tickets.for_upload(UploadTicket(call.actor.email, secrets.token_hex(16)))
    url = f"{call.shapes.base}{_PATH}{ticket}"
    return jsonify({"source_blob": {"get_url": url, "put_url": url}}), 201


def create_of_app(call: Call, app: App) -> ResponseReturnValue:
    return create(call)


def put(desk: Desk, ticket: str) -> ResponseReturnValue:
    token = desk.tickets.upload(ticket).token
    desk.world.uploads.keep(token, iter(lambda: request.stream.read(_CHUNK), b""))
    return "", 200


def token_of(call: Call, url: str) -> str:
    """Only what was put here is built: no other address is ever fetched. Raises InvalidInput."""
    ticket = urlsplit(url).path.partition(_PATH)[2]
    try:
        upload = call.desk.tickets.upload(ticket)
    except NotFound as error:
        problem = "source_blob.url: is not a get_url of this platform, or older than an hour"
        raise InvalidInput("no build", problems=[problem], hint="Ask for one with POST /sources") from error
    if upload.email != call.actor.email:
        raise InvalidInput("no build", problems=["source_blob.url: was asked for by somebody else"])
    return upload.token
