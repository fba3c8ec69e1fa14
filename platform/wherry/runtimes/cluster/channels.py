"""A two-way stream to a program in a pod: the API server's attach and exec, over a websocket.

Each message's first byte says which channel it belongs to (subprotocols v4 and v5.channel.k8s.io; only v5 can end stdin
while the output goes on, API server 1.30 and later).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any, Protocol

from websocket import ABNF, WebSocketConnectionClosedException, WebSocketException

STDIN, STDOUT, STDERR, STATUS, SIZE, CLOSE = 0, 1, 2, 3, 4, 255
SUBPROTOCOLS = "v5.channel.k8s.io,v4.channel.k8s.io"
_MOST = 32 * 1024
_ALIVE = 20.0


class WebSocket(Protocol):
    """What is used of websocket.WebSocket."""

    def getheaders(self) -> Mapping[str, str] | None: ...
    def recv_data(self) -> tuple[int, bytes]: ...
    def send_binary(self, payload: bytes) -> int: ...
    def ping(self, payload: str = "") -> None: ...
    def shutdown(self) -> None: ...


class Stream:
    """One thread may read while others write. `status`: what the server told at the end (a Status object), or None when
    it told nothing.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._closing = Lock()
        self._closed = Event()
        self.status: dict[str, Any] | None = None
        Thread(target=self._keep_alive, name="keep alive", daemon=True).start()

    def output(self) -> Iterator[tuple[int, bytes]]:
        """(STDOUT or STDERR, bytes), until the program or the connection ends."""
        while (message := self._message()) is not None:
            channel, data = message[0], message[1:]
            if channel in (STDOUT, STDERR) and data:
                yield channel, data
            elif channel == STATUS:
                self.status = _status(data)

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), _MOST):
            self._send(STDIN, data[start : start + _MOST])

    @property
    def can_end_input(self) -> bool:
        return (self._socket.getheaders() or {}).get("sec-websocket-protocol", "").startswith("v5")

    def end_input(self) -> None:
        self._send(CLOSE, bytes([STDIN]))

    def resize(self, rows: int, columns: int) -> None:
        self._send(SIZE, json.dumps({"Width": columns, "Height": rows}).encode())

    def close(self) -> None:
        """From any thread; whoever reads sees the end."""
        with self._closing:
            if self._closed.is_set():
                return
            self._closed.set()
        with suppress(OSError, WebSocketException):
            self._socket.shutdown()

    def _keep_alive(self) -> None:
        """Whatever lies between us and the API server may cut a connection over which nothing is said."""
        while not self._closed.wait(_ALIVE):
            with suppress(OSError, WebSocketException):
                self._socket.ping()

    def _send(self, channel: int, data: bytes) -> None:
        """What comes too late is lost, as its reader learns."""
        with suppress(OSError, WebSocketException):
            self._socket.send_binary(bytes([channel]) + data)

    def _message(self) -> bytes | None:
        """The next one that is not empty."""
        while True:
            try:
                opcode, data = self._socket.recv_data()
            except (OSError, WebSocketConnectionClosedException, WebSocketException, ValueError, AttributeError):
                return None  # reset, or closed by us: the end either way, and whoever waits asks the API why
            if opcode == ABNF.OPCODE_CLOSE:
                return None
            if opcode in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) and data:
                return data


def _status(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"status": "Failure", "message": data.decode("utf-8", "replace")}


def exit_code(status: dict[str, Any] | None) -> int | None:
    """What a Status says of the program's end; None when it does not say (it was lost, or could not begin)."""
    if status is None:
        return None
    if status.get("status") == "Success":
        return 0
    causes = (status.get("details") or {}).get("causes") or []
    for cause in causes:
        if cause.get("reason") == "ExitCode" and str(cause.get("message", "")).isdecimal():
            return int(cause["message"])
    return None
