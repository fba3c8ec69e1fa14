"""One conversation with the API: JSON in, JSON out, or lines as they come. Errors come out as the domain's."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar
from urllib.parse import quote, urlencode, urlsplit

from wherry import __version__
from wherry.cli import other_version
from wherry.cli.errors import Answered, Unreachable
from wherry.cli.places import Endpoint
from wherry.domain.versions import HEADER

_ACCEPT = "application/json"
_AGENT = f"wherry-cli/{__version__}"


@dataclass(frozen=True)
class Answer:
    """`headers`: by names in any case, as proxies write them small. `body`: the parsed JSON."""

    status: int
    headers: http.client.HTTPMessage
    body: Any


@dataclass(frozen=True)
class Client:
    """`PATIENCE`: seconds of silence after which nobody is there; a quiet log's stream says every few that it lives."""

    PATIENCE: ClassVar[float] = 60.0
    MOST_ERROR: ClassVar[int] = 1 << 20

    endpoint: Endpoint
    met: list[str] = field(default_factory=list)  # the platform's version, once it has answered

    def get(self, *path: str, headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None) -> Any:
        return self.call("GET", *path, headers=headers, query=query).body

    def pages(self, *path: str) -> list[Any]:
        """A whole list, however many pages it has."""
        answer = self.call("GET", *path)
        found = list(answer.body)
        while following := answer.headers.get("Next-Range"):
            answer = self.call("GET", *path, headers={"Range": following})
            found += answer.body
        return found

    def post(self, *path: str, body: object = None) -> Any:
        return self.call("POST", *path, body=body).body

    def patch(self, *path: str, body: object = None) -> Any:
        return self.call("PATCH", *path, body=body).body

    def put(self, *path: str, body: object = None) -> Any:
        return self.call("PUT", *path, body=body).body

    def delete(self, *path: str) -> Any:
        return self.call("DELETE", *path).body

    def call(
        self,
        method: str,
        *path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Each part of `path` is one segment, escaped here. Raises Answered or Unreachable."""
        target = self.endpoint.url + "".join("/" + quote(part, safe="") for part in path)
        target += f"?{urlencode(query)}" if query else ""
        sent = {"Accept": _ACCEPT, "Authorization": f"Bearer {self.endpoint.token.reveal()}", **(headers or {})}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        with self._opened(method, target, sent, data) as response:
            return Answer(response.status, response.headers, self._json(response))

    def upload(self, url: str, file: IO[bytes]) -> int:
        """Puts a file where a signed URL says, without the token; its size in bytes."""
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        with self._opened("PUT", url, headers, file) as response:
            response.read()
        return size

    def lines(self, url: str) -> Iterator[str]:
        """The lines of a log's signed URL, until its end. No token goes there: the URL itself is the permission."""
        return (text for _, text in self.events(url))

    def events(self, url: str, after: str = "") -> Iterator[tuple[str, str]]:
        """(id, text) of each line, the id "" where it has none; `after`: the id of the last line that is known."""
        accept = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after else {})}
        buffer, number = b"", ""
        with self._opened("GET", url, accept, None) as response:
            while chunk := response.read1(1 << 16):
                *whole, buffer = (buffer + chunk).split(b"\n")
                for raw in whole:
                    if raw.startswith(b"id: "):
                        number = raw.removeprefix(b"id: ").decode("ascii", "replace")
                    if raw.startswith(b"data: "):
                        yield number, raw.removeprefix(b"data: ").decode("utf-8", "replace")

    @contextmanager
    def _opened(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | IO[bytes] | None
    ) -> Iterator[http.client.HTTPResponse]:
        parts = urlsplit(url)
        if parts.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(parts.netloc, timeout=self.PATIENCE)
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=self.PATIENCE)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(method, target or "/", data, {"User-Agent": _AGENT, **headers})
            response = connection.getresponse()
            theirs = self._meet(url, response)
            if response.status >= 400:
                raise self._answered(response, theirs, method, parts.path)
            yield response
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def _json(self, response: http.client.HTTPResponse) -> Any:
        try:
            return json.loads(response.read())
        except ValueError as error:
            raise self._unreachable("its answer is not JSON") from error

    def _meet(self, url: str, response: http.client.HTTPResponse) -> str:
        theirs = response.getheader(HEADER, "")
        if not self.met and theirs and url.startswith(self.endpoint.url):
            self.met.append(theirs)
            other_version.warn(theirs, self.endpoint.url)
        return theirs

    def _answered(
        self, response: http.client.HTTPResponse, theirs: str, method: str, path: str
    ) -> Answered | Unreachable:
        try:
            body = json.loads(response.read(self.MOST_ERROR))
            message = str(body["message"])
        except (ValueError, KeyError, TypeError):
            return self._unreachable(f"HTTP {response.status}, and no error of the Wherry API")
        if body.get("resource") == "endpoint" and (
            found := other_version.unknown_endpoint(theirs, self.endpoint.url, method, path)
        ):
            return found
        problems = [str(problem) for problem in body.get("problems") or []]
        hint = str(body.get("hint") or "")
        return Answered(str(body.get("id", "")), message, problems, hint, str(body.get("request_id", "")))

    def _unreachable(self, reason: object) -> Unreachable:
        if isinstance(reason, OSError) and reason.strerror:
            reason = reason.strerror
        return Unreachable(
            f"the platform at {self.endpoint.url} does not answer as it should",
            evidence=[f"{reason or type(reason).__name__}"],
            hint="On its machine, look with: wherry status",
        )
