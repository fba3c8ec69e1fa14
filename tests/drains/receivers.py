"""Receivers of logs on this machine: real servers, with TLS by a certificate of their own."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.ports import free_port


def certificate(folder: Path) -> Path:
    """For localhost and 127.0.0.1, signed by itself; key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    plain = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def server_side(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


class SyslogReceiver:
    """Frames by their length. `messages` holds each; `drop` ends the connection that is open."""

    def __init__(self, context: ssl.SSLContext | None = None, port: int | None = None) -> None:
        self.messages: queue.Queue[str] = queue.Queue()
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", port or free_port()))
        self.port = self._listener.getsockname()[1]
        self._links: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def drop(self) -> None:
        for link in self._links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()
        self._links = []

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def take(self, count: int) -> list[str]:
        return [self.messages.get(timeout=60) for _ in range(count)]

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
                if self._context:
                    link = self._context.wrap_socket(link, server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            self._links.append(link)
            threading.Thread(target=self._read, args=(link,), daemon=True).start()

    def _read(self, link: socket.socket) -> None:
        with suppress(OSError, ValueError), link.makefile("rb") as stream:
            while size := _size(stream):
                self.messages.put(stream.read(size).decode())


def _size(stream: Any) -> int:
    digits = b""
    while (char := stream.read(1)) not in (b" ", b""):
        digits += char
    return int(digits or b"0")


class HttpsReceiver:
    """`posts`: (path, headers, what `read` makes of the body) of each; `answers` are given in turn, then 204."""

    def __init__(self, context: ssl.SSLContext, read: Callable[[bytes], Any] | None = None) -> None:
        self.posts: queue.Queue[tuple[str, dict[str, str], Any]] = queue.Queue()
        self._read = read or unframed
        self.answers: queue.Queue[int] = queue.Queue()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self) -> tuple[str, dict[str, str], Any]:
        return self.posts.get(timeout=60)

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.put((self.path, dict(self.headers.items()), outer._read(body)))
                status = outer.answers.get() if not outer.answers.empty() else 204
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "https://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


def unframed(body: bytes) -> list[str]:
    found = []
    while body:
        size, _, rest = body.partition(b" ")
        found.append(rest[: int(size)].decode())
        body = rest[int(size) :]
    return found


@contextmanager
def closing_all(*receivers: SyslogReceiver | HttpsReceiver) -> Iterator[None]:
    try:
        yield
    finally:
        for each in receivers:
            each.close()
