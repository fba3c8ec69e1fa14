"""Answers that are written as their lines come, and that end when their reader is gone."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from flask import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Lines = Iterator[str | None]
"""Lines without their newline; None says that there was nothing for a while."""

_HEADERS = {"X-Accel-Buffering": "no"}


def answer(request: Request, lines: Lines) -> Response:
    """Server-sent events for whoever asks for those (Heroku's CLI does), plain lines for everyone else."""
    if request.accept_mimetypes.best == "text/event-stream":
        return Response(_events(lines), mimetype="text/event-stream", headers=_HEADERS)
    return Response(plain(request.environ, lines), mimetype="text/plain", headers=_HEADERS)


def plain(environ: WSGIEnvironment, lines: Lines) -> Generator[bytes, None, None]:
    """A reader who is gone is seen on the socket, since there is nothing harmless to write while all is quiet."""
    try:
        yield b""  # sends the headers now, so that the reader knows it is being answered
        for line in lines:
            if line is not None:
                yield _encoded(line) + b"\n"
            elif client_gone(environ):
                return
    finally:
        close(lines)


def until(lines: Lines, ended: Callable[[], bool]) -> Lines:
    """`lines`, and no further when they pause though their subject has `ended`: its writer died before the end."""
    try:
        for line in lines:
            if line is None and ended():
                return
            yield line
    finally:
        close(lines)


def client_gone(environ: WSGIEnvironment) -> bool:
    """Whether the other side has closed; False where the server does not show us its socket."""
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if connection is None:
        return False
    try:
        return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True


def close(lines: object) -> None:
    if isinstance(lines, Generator):
        lines.close()


def _events(lines: Lines) -> Generator[bytes, None, None]:
    try:
        yield b": open\n\n"
        for line in lines:
            yield b": idle\n\n" if line is None else b"data: " + _encoded(line) + b"\n\n"
    finally:
        close(lines)


def _encoded(line: str) -> bytes:
    return line.replace("\r", "\\r").replace("\n", "\\n").encode("utf-8", "backslashreplace")
