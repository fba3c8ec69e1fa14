"""A small HTTP server that plays the API: git's transport, and the answers to its hooks, scripted by each test."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from wherry.domain.errors import PushRefused
from wherry.domain.model import Source
from wherry.domain.refs import RefUpdate, judge
from wherry.domain.secret import Secret
from wherry.sources.exchange import Cut
from wherry.sources.repositories import Repositories
from wherry.sources.transport import GitRequest, GitResponse, GitTransport, HookCall


@dataclass(frozen=True)
class Question:
    """What a hook asks."""

    app_id: int
    hook: str
    text: str
    quarantine: Path | None

    @property
    def updates(self) -> list[RefUpdate]:
        return [RefUpdate.parse(line) for line in self.text.split("\n") if line]


Answer = Callable[[Question], Iterator[str | int]]
"""Lines, then an exit code; None of it reaches git when it raises or ends without a code."""


def accept(question: Question) -> Iterator[str | int]:
    yield 0


class Judge:
    """What the platform does on a push, without its build: the verdict on the refs, and the export."""

    def __init__(self, repositories: Repositories) -> None:
        self.repositories = repositories
        self.exported: list[Source] = []

    def __call__(self, question: Question) -> Iterator[str | int]:
        try:
            verdict = judge(question.updates, None)
            yield from verdict.remarks
            if verdict.deploy and question.hook == "pre-receive":
                source = self.repositories.export(question.app_id, verdict.deploy.new, question.quarantine)
                self.exported.append(source)
                yield from source.remarks
        except PushRefused as error:
            yield from (f" !     {line}" for line in error.lines())
            yield 1
        yield 0


class Door:
    def __init__(self, repositories: Repositories, answer: Answer = accept) -> None:
        self.repositories = repositories
        self.transport = GitTransport(repositories)
        self.answer = answer
        self.tickets: dict[str, tuple[int, str]] = {}
        self.asked: list[Question] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.http.daemon_threads = True
        self.http.door = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self.http.serve_forever, daemon=True)

    @property
    def judge(self) -> Judge:
        assert isinstance(self.answer, Judge)
        return self.answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"

    def repository(self, app_id: int = 1) -> str:
        return f"{self.url}/{app_id}.git"

    def hook_call(self, app_id: int) -> HookCall:
        ticket, marker = secrets.token_urlsafe(16), secrets.token_hex(8)
        self.tickets[ticket] = (app_id, marker)
        return HookCall(f"{self.url}/hooks", Secret(ticket), marker)

    def __enter__(self) -> Door:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.http.shutdown()
        self.http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True

    @property
    def door(self) -> Door:
        return self.server.door  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        app, _, rest = path.removeprefix("/").partition(".git/")
        if not app.isdecimal():
            return self.send_error(404)
        return self._git(int(app), rest, query)

    def do_POST(self) -> None:
        if self.path.startswith("/hooks/"):
            self._hook(self.path.removeprefix("/hooks/"))
        else:
            self.do_GET()

    do_PUT = do_GET

    def _git(self, app_id: int, path: str, query: str) -> None:
        body = _body(self.rfile, self.headers)
        request = GitRequest(
            app_id=app_id,
            method=self.command,
            path=path,
            query=query,
            content_type=self.headers.get("Content-Type", ""),
            content_encoding=self.headers.get("Content-Encoding", ""),
            protocol=self.headers.get("Git-Protocol", ""),
            body=body,
            hook=self.door.hook_call(app_id),
        )
        response = self.door.transport.serve(request)
        try:
            self._send(response)
            while body.read(1 << 16):
                pass
        except (OSError, Cut):
            self.close_connection = True
        finally:
            response.close()

    def _send(self, response: GitResponse) -> None:
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in response.body:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def _hook(self, hook: str) -> None:
        app_id, marker = self.door.tickets[self.headers["Authorization"].removeprefix("Bearer ")]
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        where = self.headers["X-Wherry-Quarantine"]
        question = Question(app_id, hook, text, Path(where) if where else None)
        self.door.asked.append(question)
        self.send_response(200)
        self.end_headers()
        for said in self.door.answer(question):
            line = f"{marker} {said}" if isinstance(said, int) else said
            self.wfile.write(line.encode() + b"\n")
            if isinstance(said, int):
                return

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class _Sized:
    def __init__(self, stream: BinaryIO, length: int) -> None:
        self.stream = stream
        self.left = length

    def read(self, size: int) -> bytes:
        piece = self.stream.read1(min(size, self.left)) if self.left else b""  # type: ignore[attr-defined]
        self.left -= len(piece)
        if not piece and self.left:
            raise ConnectionResetError("the client went away")
        return piece


class _Chunked:
    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.chunk: _Sized | None = None
        self.ended = False

    def read(self, size: int) -> bytes:
        while not self.ended:
            if self.chunk is None:
                line = self.stream.readline(1024)
                if not line:
                    raise ConnectionResetError("the client went away")
                self.chunk = _Sized(self.stream, int(line, 16))
                self.ended = self.chunk.left == 0
            if piece := self.chunk.read(size):
                return piece
            self.stream.readline(1024)
            self.chunk = None
        return b""


def _body(stream: BinaryIO, headers: Any) -> _Sized | _Chunked:
    if headers.get("Transfer-Encoding") == "chunked":
        return _Chunked(stream)
    return _Sized(stream, int(headers.get("Content-Length", 0)))
