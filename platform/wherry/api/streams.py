"""Answers that are written as their lines come, and that end when their reader is gone."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, ClassVar

from flask import Request, Response

from wherry.domain.errors import PlatformFault

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Numbered:
    """A line by whose number a reader who was cut off can go on (Last-Event-ID)."""

    text: str
    number: int


Lines = Iterator[str | None]
"""Lines without their newline; None says that there was nothing for a while."""

Events = Iterator[Sequence[Numbered] | str | None]
"""Lines one by one, or as many numbered ones as have come together, which are written at once."""

_SOON = b"retry: 50\n\n"  # milliseconds, instead of the client's own seconds
_HEADERS = {"X-Accel-Buffering": "no"}


class Streams:
    """Each open stream holds one thread of the web server, so they are counted: pages, calls and pushes must still
    be answered (a push takes two threads, and the transport counts those).
    """

    MOST: ClassVar[int] = 60

    def __init__(self) -> None:
        self._free = BoundedSemaphore(self.MOST)

    def answer(self, request: Request, lines: Events, *, once: bool = False) -> Response:
        """Server-sent events for whoever asks for those (Heroku's CLI does), plain lines for everyone else. `once`: it
        is over when it ends, so that nobody needs to wait before asking again; `heroku logs` does, even to go home.

        Raises PlatformFault when too many are open.
        """
        if not self._free.acquire(blocking=False):
            raise PlatformFault("too many logs are followed at once", hint="Try again in a moment.")
        if request.accept_mimetypes.best == "text/event-stream":
            response = Response(_events(lines, _SOON if once else b""), mimetype="text/event-stream", headers=_HEADERS)
        else:
            response = Response(plain(request.environ, lines), mimetype="text/plain", headers=_HEADERS)
        response.call_on_close(self._free.release)
        return response


def plain(environ: WSGIEnvironment, lines: Events) -> Generator[bytes, None, None]:
    """A reader who is gone is seen on the socket, since there is nothing harmless to write while all is quiet."""
    try:
        yield b""  # sends the headers now, so that the reader knows it is being answered
        for line in lines:
            if line is not None:
                yield b"".join(_encoded(each) + b"\n" for each in _each(line))
            elif client_gone(environ):
                return
    finally:
        close(lines)


def until(lines: Lines, ended: Callable[[], bool]) -> Lines:
    """`lines`, and no further when they stay quiet though their subject has `ended`: their writer died before the end.

    One pause is not enough, for a living writer ends its subject a moment before it writes the last line.
    """
    overdue = False
    try:
        for line in lines:
            if line is None and overdue:
                return
            overdue = line is None and ended()
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


def _events(lines: Events, ending: bytes) -> Generator[bytes, None, None]:
    """`ending` comes after lines only: a client that was given none has nothing to come back with."""
    told = False
    try:
        yield b": open\n\n"
        for line in lines:
            yield b": idle\n\n" if line is None else b"".join(_event(each) for each in _each(line))
            told = told or line is not None
        if told and ending:
            yield ending
    finally:
        close(lines)


def _each(line: Sequence[Numbered] | str) -> Sequence[Numbered | str]:
    return (line,) if isinstance(line, str) else line


@lru_cache(256)  # all readers of one log are written the same
def _event(line: Numbered | str) -> bytes:
    number = f"id: {line.number}\n".encode() if isinstance(line, Numbered) else b""
    return number + b"data: " + _encoded(line) + b"\n\n"


def _encoded(line: Numbered | str) -> bytes:
    text = line.text if isinstance(line, Numbered) else line
    return text.replace("\r", "\\r").replace("\n", "\\n").encode("utf-8", "backslashreplace")
