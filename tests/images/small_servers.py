"""Registries of a few lines that do what the real one cannot be made to do."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BREAK_AT = 2 * 1024 * 1024


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None: ...

    def answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self) -> None:
        self.answer(404)

    def do_POST(self) -> None:
        self.answer(202, Location="/session")


@contextmanager
def serving(handler: type[Quiet]) -> Iterator[str]:
    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Broken connections are expected."""

    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def resuming_registry() -> Iterator[tuple[str, bytearray, list[str]]]:
    """Breaks the first PATCH after 2 MiB, and knows afterwards how far it came. Its URL, what it has, and the
    Content-Range of each PATCH.
    """
    received = bytearray()
    starts: list[str] = []

    class Handler(Quiet):
        def do_PATCH(self) -> None:
            starts.append(self.headers["Content-Range"])
            size = int(self.headers["Content-Length"])
            received.extend(self.rfile.read(size if len(starts) > 1 else BREAK_AT))
            if len(starts) == 1:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
                return
            self.answer(202, Location="/session", Range=f"0-{len(received) - 1}")

        def do_GET(self) -> None:
            self.answer(204, Location="/session", Range=f"0-{len(received) - 1}")

        def do_PUT(self) -> None:
            self.answer(201)

    with serving(Handler) as url:
        yield url, received, starts


@contextmanager
def deaf_registry() -> Iterator[str]:
    """Opens an upload, reads a little of it, then nothing more."""
    end = threading.Event()

    class Handler(Quiet):
        def do_PATCH(self) -> None:
            self.rfile.read(1024)
            end.wait(30)
            self.close_connection = True

    with serving(Handler) as url:
        try:
            yield url
        finally:
            end.set()
