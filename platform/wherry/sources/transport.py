"""git over HTTP: the smart protocol by git's own CGI, and nothing else of it.

Plain values in and out, so that any web framework can stand before it. Who may do what is the caller's to know, by
`service_of`.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from wherry.domain.errors import PlatformFault
from wherry.domain.secret import Secret
from wherry.sources import git
from wherry.sources.body import Body
from wherry.sources.body import Readable as Readable
from wherry.sources.exchange import Exchange
from wherry.sources.policy import MIB
from wherry.sources.repositories import Repositories
from wherry.sources.sideband import explained

MOST_FETCH_REQUEST = 10 * MIB  # git's own http.maxRequestBuffer
MOST_COMMANDS = 64 * MIB  # beside the pack: 100,000 refs of any length
LOW_WATER = 512 * MIB  # of free disk: what runs must not suffer from what is pushed

_ASK = "info/refs"
_PROTOCOL = re.compile(r"version=[0-2]")
_HEADERS = {"content-type": "Content-Type", "cache-control": "Cache-Control", "expires": "Expires", "pragma": "Pragma"}


class Service(StrEnum):
    FETCH = "git-upload-pack"
    PUSH = "git-receive-pack"


def service_of(path: str, query: str) -> Service | None:
    """What a request under `/NAME.git/` wants: `path` is what follows, without a slash before it.

    None for what is no part of the smart protocol; `GitTransport.serve` has the answer to that, too.
    """
    named = query if path == _ASK else f"service={path}"
    return next((service for service in Service if named == f"service={service}"), None)


@dataclass(frozen=True, slots=True)
class HookCall:
    """Where git's hooks ask about this push: `url` is http://ADDRESS:PORT/PATH; `marker` a random word of this push
    alone.
    """

    url: str
    ticket: Secret
    marker: str

    def environ(self) -> dict[str, str]:
        return {"WHERRY_HOOK_URL": self.url, "WHERRY_TICKET": self.ticket.reveal(), "WHERRY_MARKER": self.marker}


@dataclass(frozen=True, slots=True)
class GitRequest:
    """`body` is read until it ends; the server before us has taken off any chunking. A push needs `hook`."""

    app_id: int
    method: str
    path: str
    query: str = ""
    content_type: str = ""
    content_encoding: str = ""
    protocol: str = ""
    body: Readable = field(default_factory=io.BytesIO)
    hook: HookCall | None = None


@dataclass(frozen=True, slots=True)
class GitResponse:
    """Send `body` piece by piece as it comes, and call `close` when done or when the client has gone."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Iterable[bytes]
    exchange: Exchange | None = None

    def close(self) -> None:
        if self.exchange:
            self.exchange.close()


class GitTransport:
    """`most` exchanges at a time; more are asked to come again. A push takes a second request of the same server for
    its hook, so give that server more than twice as many threads.
    """

    def __init__(self, repositories: Repositories, most: int = 16) -> None:
        self._repositories = repositories
        self._free = threading.BoundedSemaphore(most)

    def serve(self, request: GitRequest) -> GitResponse:
        """Raises PlatformFault before anything was sent, and nothing of ours afterwards."""
        service = service_of(request.path, request.query)
        if service is None:
            return _no_service(request.path)
        if refusal := _unfit(request, service):
            return refusal
        if service is Service.PUSH and self._repositories.free_bytes() < LOW_WATER:
            return _refusal(507, "The platform's disk is nearly full, so it takes no pushes now. Tell its operator.")
        if not self._free.acquire(blocking=False):
            return _refusal(503, "Too many pushes and fetches at once. Try again in a moment.", {"Retry-After": "5"})
        with ExitStack() as undo:
            undo.callback(self._free.release)
            if not self._repositories.mend(request.app_id):
                return _refusal(404, "There is no repository here.")
            exchange = self._start(request, service)
            undo.pop_all()  # from here on the end of the exchange sets it free
        return _response(exchange, self._answer(exchange, request, service))

    def _start(self, request: GitRequest, service: Service) -> Exchange:
        push = service is Service.PUSH and request.path != _ASK
        most = self._repositories.limits.push + MOST_COMMANDS if push else MOST_FETCH_REQUEST
        body = Body(request.body if request.path != _ASK else io.BytesIO(), most, "gzip" in request.content_encoding)
        with ExitStack() as held:
            lock = [held.enter_context(self._repositories.pushing(request.app_id))] if push else []
            return Exchange(
                git.http_backend(guarded=request.path != _ASK),
                git.environment(self._cgi(request, push)),
                body,
                descriptors=lock,
                outlives=push,
                on_end=partial(self._ended, request.app_id, push),
            )

    def _cgi(self, request: GitRequest, push: bool) -> dict[str, str]:
        """No CONTENT_LENGTH: git then reads to the end, and hands its own stdin on instead of copying."""
        if push and request.hook is None:
            raise PlatformFault("a push came without the ticket that its hooks need")
        return {
            "GIT_PROJECT_ROOT": str(self._repositories.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{self._repositories.path(request.app_id).name}/{request.path}",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.query,
            "CONTENT_TYPE": request.content_type,
            **({"GIT_PROTOCOL": request.protocol} if _PROTOCOL.fullmatch(request.protocol) else {}),
            **(request.hook.environ() if push and request.hook else {}),
        }

    def _answer(self, exchange: Exchange, request: GitRequest, service: Service) -> Iterable[bytes]:
        if service is Service.PUSH and request.path != _ASK:
            return explained(exchange, self._repositories.limits)
        return exchange

    def _ended(self, app_id: int, push: bool) -> None:
        self._free.release()
        if push:
            self._repositories.tend(app_id)


def _response(exchange: Exchange, body: Iterable[bytes]) -> GitResponse:
    head = exchange.head()
    status = head.get("status", "200").split(" ")[0]
    headers = tuple((shown, head[name]) for name, shown in _HEADERS.items() if name in head)
    return GitResponse(int(status), headers, body, exchange)


def _no_service(path: str) -> GitResponse:
    if path == _ASK:
        return _refusal(403, "Only git's smart protocol is spoken here. Use a git of this decade.")
    return _refusal(404, "There is nothing here.")


def _unfit(request: GitRequest, service: Service) -> GitResponse | None:
    method = "GET" if request.path == _ASK else "POST"
    if request.method != method:
        return _refusal(405, f"{request.path} takes {method} only.", {"Allow": method})
    wanted = f"application/x-{service}-request"
    if method == "POST" and request.content_type != wanted:
        return _refusal(415, f"{request.path} takes {wanted} only.")
    if request.content_encoding not in ("", "identity", "gzip", "x-gzip"):
        return _refusal(415, "The body may be plain or gzip.")
    return None


def _refusal(status: int, text: str, headers: Mapping[str, str] | None = None) -> GitResponse:
    plain = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache", **(headers or {})}
    return GitResponse(status, tuple(plain.items()), (f"{text}\n".encode(),))
