"""Engines of users push and pull images of their apps here: /v2/APP/TYPE/… of the OCI distribution spec, the token as
password. Who may, and for which app, is decided here by the same function as everywhere; the passage does the rest.

All of an app's pushes lie in a repository of their own, apart from what builds made and what releases run. A tag there is
TYPE.TAG. So no name can reach the platform's images, or another app's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import BoundedSemaphore

from flask import Flask, Request, Response, g, jsonify, request
from werkzeug.exceptions import ClientDisconnected

from wherry.api.auth import authenticate
from wherry.api.desk import Desk
from wherry.api.errors import BadRequest
from wherry.api.registry_words import PATH, known, refused
from wherry.builds.disk import need_free
from wherry.domain.errors import InvalidInput, NotFound, WherryError
from wherry.domain.model import App
from wherry.domain.procfile import TYPE
from wherry.domain.roles import Permission
from wherry.domain.text import printable
from wherry.images.layer_cache import DIGEST
from wherry.images.manifest import Document
from wherry.images.passage import LONGEST_MANIFEST, PIECE, Passed, Pieces, Session, TooLarge, document_of
from wherry.images.registry import TAG
from wherry.images.stored import PUSHED

ROOT = "/v2/"
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
MOST_AT_ONCE = 16
"""Bodies on their way, in one process of the web server, whose threads are for others too."""
_WAIT = 60.0
_READING = ("HEAD", "GET")


def add_routes(api: Flask, desk: Desk) -> None:
    door = _Door(desk, BoundedSemaphore(MOST_AT_ONCE))

    def view(app: str = "", type: str = "", image: str = "") -> Response:
        rest = f"{app}/{type}/{image}" if app else ""
        try:
            response = door.answer(rest)
        except TooLarge:
            response = refused(413, rest, f"it is larger than {door.most >> 20} MiB, which is the most here")
        except WherryError as error:
            response = known(error, rest)
        response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
        return response

    for path, methods in ((ROOT, ["GET"]), (f"{ROOT}<app>/<type>/<path:image>", METHODS)):
        name = f"registry {path}".replace(".", " ")
        api.add_url_rule(path, name, view, methods=methods, provide_automatic_options=False)


@dataclass(frozen=True, slots=True)
class _Place:
    """What a path names. `repository`: ours; `shown`: the user's name for it."""

    repository: str
    shown: str
    type: str
    reference: str
    session: str | None
    digest: str
    tags: bool


@dataclass(frozen=True)
class _Door:
    desk: Desk
    free: BoundedSemaphore

    @property
    def most(self) -> int:
        return self.desk.world.settings.number("max_image_mb") << 20

    def answer(self, rest: str) -> Response:
        actor = authenticate(request, self.desk.world.access)
        if not rest:
            return jsonify({})
        found = PATH.fullmatch(rest)
        if not found:
            raise NotFound("images are named APP/TYPE here, as in: docker push HOST/APP/web")
        needed = Permission.CODE if request.method in _READING else Permission.DEPLOY
        app = self.desk.world.access.app(actor, found["app"], needed)
        g.app_is_known = True
        return self._part(app, _place(app, found))

    def _part(self, app: App, place: _Place) -> Response:
        if place.tags:
            return self._tags(place)
        if place.reference:
            return self._manifest(place)
        if place.digest:
            return self._blob(place)
        return self._upload(app, place)

    # -- manifests, tags

    def _manifest(self, place: _Place) -> Response:
        passage = self.desk.world.passage
        by_digest = bool(DIGEST.fullmatch(place.reference))
        tag = "" if by_digest else f"{place.type}.{place.reference}"
        if not by_digest and not (TAG.fullmatch(place.reference) and TAG.fullmatch(tag)):
            raise InvalidInput(f"'{printable(place.reference, 60)}' is neither a tag nor a digest")
        if request.method in _READING:
            document = self._stored(place, tag)
            headers = {"Docker-Content-Digest": document.digest, "Content-Type": document.media_type}
            return Response(document.body, headers=headers)
        _only("PUT")
        body = _Body(request).whole(LONGEST_MANIFEST)
        document = document_of(request.mimetype, body, self.most)
        if by_digest and document.digest != place.reference:
            raise InvalidInput(f"the manifest's digest is {document.digest}")
        digest = passage.put_manifest(place.repository, document, tag)
        headers = {"Docker-Content-Digest": digest, "Location": f"{_url(place)}manifests/{digest}"}
        return Response(status=201, headers=headers)

    def _stored(self, place: _Place, tag: str) -> Document:
        try:
            return self.desk.world.passage.manifest(place.repository, tag or place.reference)
        except NotFound as error:
            what = f"{place.shown}{'@' if not tag else ':'}{place.reference}"
            raise NotFound(
                f"nothing was pushed as {what}", hint=f"To push it: docker push {request.host}/{place.shown}"
            ) from error

    def _tags(self, place: _Place) -> Response:
        _only("GET")
        prefix = f"{place.type}."
        found = [each for each in self.desk.world.passage.tags(place.repository) if each.startswith(prefix)]
        return jsonify({"name": place.shown, "tags": [each.removeprefix(prefix) for each in found]})

    # -- blobs

    def _blob(self, place: _Place) -> Response:
        _only(*_READING)
        if not DIGEST.fullmatch(place.digest):
            raise InvalidInput(f"'{printable(place.digest, 80)}' is no sha256 digest")
        head, span = request.method == "HEAD", request.headers.get("Range", "")
        leave = self._enter()
        try:
            passed = self.desk.world.passage.blob(place.repository, place.digest, span, head=head)
        except BaseException:
            leave()
            raise
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": place.digest, **passed.headers}
        response = Response(None if head else _pieces(passed), passed.status, headers=headers)
        response.call_on_close(leave)
        if passed.body is not None:
            response.call_on_close(passed.body.close)
        return response

    def _upload(self, app: App, place: _Place) -> Response:
        passage, name = self.desk.world.passage, place.session or ""
        if not name:
            _only("POST")
            return self._begin(app, place)
        _only("GET", "PATCH", "PUT", "DELETE")
        query = request.query_string.decode("latin-1").split("&")
        state = "&".join(each for each in query if each and not each.startswith("digest="))
        session = passage.session(place.repository, name, state)
        if request.method == "GET":
            return _progress(place, session, 204)
        if request.method == "DELETE":
            passage.cancel(place.repository, session)
            return Response(status=204)
        digest = request.args.get("digest", "")
        if request.method == "PUT" and not DIGEST.fullmatch(digest):
            raise InvalidInput("an upload ends with ?digest=sha256:HEX")
        return self._receive(place, session, digest)

    def _begin(self, app: App, place: _Place) -> Response:
        """A blob of another of the app's own types is there at once; one of anybody else is not taken from there."""
        passage, settings = self.desk.world.passage, self.desk.world.settings
        need_free(settings.folder, settings.number("build_free_mb"))
        digest, source = request.args.get("mount", ""), request.args.get("from", "")
        own = source.partition("/")[0] == app.name or not source
        if DIGEST.fullmatch(digest) and own and passage.has_blob(place.repository, digest):
            headers = {"Location": f"{_url(place)}blobs/{digest}", "Docker-Content-Digest": digest}
            return Response(status=201, headers=headers)
        return _progress(place, passage.begin(place.repository), 202)

    def _receive(self, place: _Place, session: Session, digest: str) -> Response:
        passage, left = self.desk.world.passage, self.most - session.offset
        _check_range(session)
        size = request.content_length
        if (size or 0) > left:
            passage.cancel(place.repository, session)
            raise TooLarge
        body = Pieces(_Body(request).read, size, left)
        leave = self._enter()
        try:
            if not digest:
                return _progress(place, passage.append(place.repository, session, body), 202)
            passage.finish(place.repository, session, digest, body)
        except TooLarge:
            passage.cancel(place.repository, session)
            raise
        finally:
            leave()
        headers = {"Location": f"{_url(place)}blobs/{digest}", "Docker-Content-Digest": digest}
        return Response(status=201, headers=headers)

    def _enter(self) -> Callable[[], None]:
        """What gives the place back. Raises BadRequest (429) when there is none for a while."""
        if not self.free.acquire(timeout=_WAIT):
            raise BadRequest("too many images are on their way at once", status=429, hint="Try again in a moment.")
        return self.free.release


class _Body:
    """The request's stream. A broken end is an OSError, as of any other stream."""

    def __init__(self, request: Request) -> None:
        self._stream = request.stream

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except ClientDisconnected as error:
            raise ConnectionResetError("the client has gone") from error

    def whole(self, most: int) -> bytes:
        """Raises TooLarge."""
        return b"".join(Pieces(self.read, None, most))


def _place(app: App, found: re.Match[str]) -> _Place:
    if not TYPE.fullmatch(found["type"]):
        raise InvalidInput(
            f"'{printable(found['type'], 60)}' is not a process type: lower-case letters, digits, dashes"
        )
    return _Place(
        PUSHED.format(app.id),
        f"{found['app']}/{found['type']}",
        found["type"],
        found["reference"] or "",
        found["session"],
        found["digest"] or "",
        bool(found["tags"]),
    )


def _url(place: _Place) -> str:
    return f"{ROOT}{place.shown}/"


def _progress(place: _Place, session: Session, status: int) -> Response:
    where = f"{_url(place)}blobs/uploads/{session.name}{'?' + session.state if session.state else ''}"
    headers = {"Location": where, "Range": f"0-{max(session.offset - 1, 0)}", "Docker-Upload-UUID": session.name}
    return Response(status=status, headers=headers)


def _check_range(session: Session) -> None:
    """A piece that says where it begins must begin where the upload stands."""
    given = request.headers.get("Content-Range", "")
    if given and given.removeprefix("bytes ").partition("-")[0] != str(session.offset):
        raise BadRequest(f"the upload stands at {session.offset}", status=416)


def _pieces(passed: Passed) -> Iterator[bytes]:
    if passed.body is not None:
        yield from passed.body.iter_content(PIECE)


def _only(*methods: str) -> None:
    if request.method not in methods:
        raise BadRequest(f"this takes {', '.join(methods)}", status=405)
