"""What gunicorn serves for bench/receive.py: our transport with both hooks, and git's CGI with as little as can be."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from wherry.domain.secret import Secret
from wherry.hook import FOLDER
from wherry.sources.policy import MIB, Limits
from wherry.sources.repositories import Repositories
from wherry.sources.transport import GitRequest, GitTransport, HookCall

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **{f"GIT_{who}_{what}": "bench@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
LIMITS = Limits(push=4096 * MIB)


def application(folder: str, port: int) -> WSGIApplication:
    """What gunicorn serves: /wherry/N.git by the transport, /plain/N.git by http-backend alone, /hooks."""
    transport = GitTransport(Repositories(Path(folder, "wherry"), FOLDER, LIMITS), most=16)
    markers: dict[str, str] = {}

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/hooks/"):
            environ["wsgi.input"].read()
            marker = markers[environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ")]
            start_response("200 OK", [("Content-Type", "text/plain")])
            return iter([f"{marker} 0\n".encode()])
        if path.startswith("/plain/"):
            return plain(folder, environ, start_response)
        app, _, rest = path.removeprefix("/wherry/").partition(".git/")
        ticket, marker = secrets.token_urlsafe(32), secrets.token_hex(16)
        markers[ticket] = marker
        answer = transport.serve(
            GitRequest(
                int(app),
                environ["REQUEST_METHOD"],
                rest,
                environ.get("QUERY_STRING", ""),
                environ.get("CONTENT_TYPE", ""),
                environ.get("HTTP_CONTENT_ENCODING", ""),
                environ.get("HTTP_GIT_PROTOCOL", ""),
                environ["wsgi.input"],
                HookCall(f"http://127.0.0.1:{port}/hooks", Secret(ticket), marker),
            )
        )
        start_response(f"{answer.status} -", list(answer.headers))
        return closing(answer.body, answer.close)

    return serve


def closing(body: Iterable[bytes], close: Callable[[], None]) -> Iterator[bytes]:
    try:
        yield from body
    finally:
        close()


def plain(folder: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    """The least that can stand between gunicorn and git's CGI: no limits, no lock, no hooks, the body read first."""
    names = ("REQUEST_METHOD", "QUERY_STRING", "CONTENT_TYPE", "HTTP_CONTENT_ENCODING", "HTTP_GIT_PROTOCOL")
    cgi = {name: environ[name] for name in names if name in environ}
    root = {"GIT_PROJECT_ROOT": folder, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": environ["PATH_INFO"]}
    child = subprocess.Popen(["git", "http-backend"], stdin=-1, stdout=-1, env={**ENVIRON, **cgi, **root})
    assert child.stdin
    assert child.stdout
    while piece := environ["wsgi.input"].read(1 << 16):
        child.stdin.write(piece)
    child.stdin.close()
    headers = []
    while line := child.stdout.readline().decode().strip():
        name, _, value = line.partition(": ")
        headers.append((name, value))
    start_response("200 OK", [header for header in headers if header[0] != "Status"])
    try:
        yield from iter(lambda: child.stdout.read(1 << 16), b"")  # type: ignore[union-attr]
    finally:
        child.stdout.close()
        child.wait()
