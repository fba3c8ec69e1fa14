"""What users' engines ask of one repository, passed on to our registry and back a piece at a time (OCI distribution spec 1.0).

Knows nothing of users: who may ask, and for which repository, is the caller's. A user's engine never learns where the
registry is, nor its login.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from wherry.domain.errors import InvalidInput, NotFound, PlatformFault
from wherry.images.manifest import DOCKER_INDEX, INDEX, READABLE, Document
from wherry.images.patience import Interrupted
from wherry.images.registry import Registry

PIECE = 256 * 1024
LONGEST_MANIFEST = 4 * 1024 * 1024
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,15})")
_SESSION = re.compile(r"[A-Za-z0-9_=.-]{1,200}")
_STATE = re.compile(r"[A-Za-z0-9%._~=&+-]{0,4096}")


class TooLarge(Exception):
    """More bytes than `most` came."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A body that is read once. `size`: its bytes, when they are known; `most`: that may come, within `seconds`."""

    read: Callable[[int], bytes]
    size: int | None
    most: int
    seconds: float = 3600.0

    def __iter__(self) -> Iterator[bytes]:
        """Raises TooLarge, InvalidInput for a body at a trickle."""
        left, until = self.most, time.monotonic() + self.seconds
        while piece := self.read(PIECE):
            left -= len(piece)
            if left < 0:
                raise TooLarge
            if time.monotonic() > until:
                raise InvalidInput(f"the upload is not here after {self.seconds:.0f} s")
            yield piece


class _Sized:
    """For requests, which sends a length when the body has one, and else chunks."""

    def __init__(self, pieces: Pieces, size: int) -> None:
        self._pieces, self._size = pieces, size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


@dataclass(frozen=True, slots=True)
class Session:
    """An upload under way: `name` and `state` are the registry's, `offset` the bytes that it has."""

    name: str
    state: str
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Passed:
    """The registry's answer; `body` is to be read or closed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: requests.Response | None = None


class Passage:
    """Safe to use from many threads. Methods raise NotFound, InvalidInput for what the client does wrong, TooLarge, and
    PlatformFault for what the registry does.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def blob(self, repository: str, digest: str, span: str = "", *, head: bool = False) -> Passed:
        """`span`: a Range header."""
        headers = {"Accept-Encoding": "identity", **({"Range": span} if span else {})}
        method = "HEAD" if head else "GET"
        answer = self._ask(method, repository, f"blobs/{digest}", [200, 206, 404, 416], headers)
        if answer.status_code == 404:
            answer.close()
            raise NotFound("there is no such blob")
        names = ("Content-Length", "Content-Range", "ETag")
        kept = {name: answer.headers[name] for name in names if name in answer.headers}
        return Passed(answer.status_code, kept, answer)

    def has_blob(self, repository: str, digest: str) -> bool:
        return self._registry.has_blob(repository, digest)

    # -- uploads

    def begin(self, repository: str) -> Session:
        answer = self._ask("POST", repository, "blobs/uploads/", [202], push=True)
        return self._session(repository, answer)

    def session(self, repository: str, name: str, state: str) -> Session:
        """Where the upload stands. It also makes sure of the login before a body that cannot be sent twice."""
        answer = self._ask("GET", repository, _upload(name, state), [200, 204, 400, 404], push=True)
        _refuse(answer)
        return self._session(repository, answer, name, state)

    def cancel(self, repository: str, session: Session) -> None:
        path = _upload(session.name, session.state)
        _refuse(self._ask("DELETE", repository, path, [200, 204, 202, 400, 404], push=True))

    def append(self, repository: str, session: Session, body: Pieces) -> Session:
        headers = {"Content-Type": "application/octet-stream"}
        path = _upload(session.name, session.state)
        answer = self._ask("PATCH", repository, path, [202, 400, 404, 416], headers, body, push=True)
        _refuse(answer)
        return self._session(repository, answer)

    def finish(self, repository: str, session: Session, digest: str, body: Pieces) -> None:
        state = "&".join(filter(None, [session.state, f"digest={digest.replace(':', '%3A')}"]))
        headers = {"Content-Type": "application/octet-stream"}
        path = _upload(session.name, state)
        answer = self._ask("PUT", repository, path, [201, 400, 404, 416], headers, body, push=True)
        _refuse(answer)
        answer.close()

    # -- manifests and tags

    def manifest(self, repository: str, reference: str) -> Document:
        return self._registry.manifest(repository, reference)

    def put_manifest(self, repository: str, document: Document, tag: str) -> str:
        """Its digest. What the tag stood for before is removed, unless another tag stands for it."""
        before = self._family(repository, tag) if tag else set()
        path = f"manifests/{tag or document.digest}"
        headers = {"Content-Type": document.media_type}
        answer = self._ask("PUT", repository, path, [201, 400, 404], headers, document.body, push=True)
        _refuse(answer)
        answer.close()
        if before:
            alive = set().union(*(self._family(repository, each) for each in self.tags(repository)))
            for digest in before - alive:
                self._registry.delete_manifest(repository, digest)
        return document.digest

    def tags(self, repository: str) -> list[str]:
        return self._registry.tags(repository)

    def clear(self, repository: str) -> None:
        """Removes whatever has a tag there."""
        for digest in sorted(set().union(*(self._family(repository, each) for each in self.tags(repository)))):
            self._registry.delete_manifest(repository, digest)

    # -- below

    def _family(self, repository: str, tag: str) -> set[str]:
        """Digests of what a tag stands for: of an index, its members too."""
        try:
            document = self._registry.manifest(repository, tag)
        except NotFound:
            return set()
        listed = document.value().get("manifests") if document.media_type in (INDEX, DOCKER_INDEX) else None
        members = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        return {document.digest, *(str(each.get("digest")) for each in members)}

    def _ask(
        self,
        method: str,
        repository: str,
        rest: str,
        expect: list[int],
        headers: Mapping[str, str] | None = None,
        body: Pieces | bytes | None = None,
        *,
        push: bool = False,
    ) -> requests.Response:
        sent: Any = _Sized(body, body.size) if isinstance(body, Pieces) and body.size is not None else body
        try:
            return self._registry.ask(method, repository, rest, expect, headers, sent, push=push)
        except Interrupted as error:
            raise error.fault from error

    def _session(self, repository: str, answer: requests.Response, name: str = "", state: str = "") -> Session:
        """By the registry's Location, which must be one of this repository's uploads."""
        answer.close()
        place = urlsplit(answer.headers.get("Location", ""))
        below = self._registry.path_of(repository) + "blobs/uploads/"
        if place.path:
            name, state = place.path.removeprefix(below), place.query
            if not place.path.startswith(below) or not _SESSION.fullmatch(name) or not _STATE.fullmatch(state):
                raise PlatformFault("the registry's uploads cannot be passed on: their place is none of its own")
        span = _RANGE.fullmatch(answer.headers.get("Range", ""))
        return Session(name, state, int(span[1]) + 1 if span and int(span[1]) else 0)


def document_of(media_type: str, body: bytes, most: int) -> Document:
    """A manifest as a user sent it. Raises InvalidInput; TooLarge when its layers have more than `most` bytes."""
    if media_type not in READABLE:
        raise InvalidInput(
            "this is no manifest of an image that is known here", problems=[f"its type is {media_type!a}"]
        )
    document = Document(media_type, body)
    value = document.value()
    listed = value.get("manifests") if media_type in (INDEX, DOCKER_INDEX) else value.get("layers")
    parts = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    sizes = [each.get("size") for each in parts]
    if not isinstance(listed, list) or len(parts) != len(listed) or not all(type(each) is int for each in sizes):
        raise InvalidInput("the manifest does not say what the image is made of")
    if any(each.get("urls") for each in parts):
        raise InvalidInput("layers that lie elsewhere (urls) are not taken")
    if sum(size for size in sizes if isinstance(size, int)) > most:
        raise TooLarge
    return document


def _upload(name: str, state: str) -> str:
    if not _SESSION.fullmatch(name) or not _STATE.fullmatch(state):
        raise NotFound("there is no such upload")
    return f"blobs/uploads/{name}{'?' + state if state else ''}"


def _refuse(answer: requests.Response) -> None:
    """What is the client's fault, in our words: the registry's name its own repositories."""
    if answer.status_code < 400:
        return
    answer.close()
    if answer.status_code == 404:
        raise NotFound("there is no such upload, or a blob that the manifest names has not been uploaded")
    raise InvalidInput("the registry refuses it: the digest, the place of the bytes or the manifest is not right")
