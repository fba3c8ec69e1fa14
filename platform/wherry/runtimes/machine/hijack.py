"""A raw two-way stream to a container, over the connection of one request (Engine API, "Attach to a container").

Not by the engine's client: it reads ahead while it looks for the end of the head, and loses what came right behind it.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from docker.errors import APIError, NotFound

from wherry.runtimes.machine.engine import Engine

_CHUNK = 32 * 1024
_MOST_HEAD = 16 * 1024
_CONNECT_SECONDS = 60.0
_HEADER = struct.Struct(">BxxxL")  # of each piece of a stream without a terminal: which one, how long
STDERR = 2
# The engine looks for keys that detach, Ctrl-P first, and holds back what may be their beginning: so nobody's keys.
DETACH_KEYS = ",".join(["ctrl-^", "ctrl-@"] * 4)


class Stream:
    """One thread may read while another writes. `close` from any thread ends both."""

    def __init__(self, engine: Engine, path: str, body: Mapping[str, object] | None, *, framed: bool) -> None:
        """Raises docker's errors for an answer that is none, and OSError."""
        self._framed = framed
        self._socket = _connected(engine.url)
        try:
            self._rest = self._upgrade(f"/v{engine.api.api_version}{path}", body)
        except BaseException:
            self._socket.close()
            raise
        self._socket.settimeout(None)

    def output(self) -> Iterator[tuple[int, bytes]]:
        """(1 or 2, bytes), until the engine closes."""
        if not self._framed:
            while chunk := self._some():
                yield 1, chunk
            return
        while head := self._exactly(_HEADER.size):
            which, length = _HEADER.unpack(head)
            while length and (chunk := self._some(length)):
                length -= len(chunk)
                yield which, chunk

    def write(self, data: bytes) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has ended, as its reader learns
            self._socket.sendall(data)

    def end_input(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _upgrade(self, target: str, body: Mapping[str, object] | None) -> bytes:
        sent = json.dumps(body).encode() if body is not None else b""
        lines = [
            f"POST {target} HTTP/1.1",
            "Host: engine",
            "Connection: Upgrade",
            "Upgrade: tcp",
            "Content-Type: application/json",
            f"Content-Length: {len(sent)}",
        ]
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + sent)
        read = b""
        while b"\r\n\r\n" not in read:
            chunk = self._socket.recv(_CHUNK)
            if not chunk or len(read) > _MOST_HEAD:
                raise ConnectionError("the engine's answer to a request for a stream has no head")
            read += chunk
        head, _, rest = read.partition(b"\r\n\r\n")
        status = head.split(b" ", 2)[1]
        if status not in (b"101", b"200"):
            said = rest.decode("utf-8", "replace").strip()
            kind = NotFound if status == b"404" else APIError
            raise kind(f"{status.decode()} {said}", explanation=said)
        return rest

    def _exactly(self, count: int) -> bytes:
        """Empty at the end of the stream."""
        read = b""
        while len(read) < count:
            chunk = self._some(count - len(read))
            if not chunk:
                return b""
            read += chunk
        return read

    def _some(self, most: int = _CHUNK) -> bytes:
        if self._rest:
            chunk, self._rest = self._rest[:most], self._rest[most:]
            return chunk
        try:
            return self._socket.recv(min(most, _CHUNK))
        except OSError:  # reset, or closed by us: the end either way, and whoever waits asks the engine why
            return b""


def _connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme in ("unix", "http+unix"):
        found = socket.socket(socket.AF_UNIX)
        try:
            found.settimeout(_CONNECT_SECONDS)
            found.connect(parts.netloc + parts.path)
        except BaseException:
            found.close()
            raise
        return found
    return socket.create_connection((parts.hostname or "localhost", parts.port or 2375), _CONNECT_SECONDS)
