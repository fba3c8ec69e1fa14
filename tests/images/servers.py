"""A real registry on a free port, and a proxy before it that fails as networks and registries do."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import bcrypt

from tests.ports import free_port


@contextmanager
def running_registry(folder: Path, login: tuple[str, str] | None = None) -> Iterator[str]:
    """Its URL. Ready when it says so in its log."""
    program = shutil.which("docker-registry") or shutil.which("registry")
    assert program, "apt-get install docker-registry"
    port = free_port()
    auth = ""
    if login:
        hashed = bcrypt.hashpw(login[1].encode(), bcrypt.gensalt(4)).decode()
        (folder / "htpasswd").write_text(f"{login[0]}:{hashed}\n")
        auth = f"auth: {{htpasswd: {{realm: test, path: '{folder}/htpasswd'}}}}\n"
    (folder / "config.yml").write_text(
        "version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{folder}/data'}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n{auth}"
    )
    with (
        subprocess.Popen(
            [program, "serve", str(folder / "config.yml")], stderr=subprocess.STDOUT, stdout=subprocess.PIPE
        ) as process,
    ):
        assert process.stdout
        try:
            assert any(b"listening on" in line for line in process.stdout), "the registry did not start"
            reader = threading.Thread(target=process.stdout.read)
            reader.start()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)
            reader.join()


@dataclass(frozen=True)
class Answer:
    """Instead of the registry's."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"errors":[{"code":"UNKNOWN","message":"injected"}]}'


@dataclass(frozen=True)
class ResetAfter:
    """Bytes of the request's body that reach the registry before both connections break."""

    size: int


@dataclass(frozen=True)
class CutAnswer:
    """Bytes of the registry's answer that reach the client before the connection breaks."""

    size: int


@dataclass(frozen=True)
class Changed:
    """The registry's answer with other headers or body."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


Fault = Answer | ResetAfter | CutAnswer | Changed


@dataclass
class Proxy:
    """`fault` says what happens to a request; `seen` lists them all, as "METHOD path" with digests cut short."""

    upstream: str
    url: str = ""
    fault: Callable[[str, str], Fault | None] = lambda method, path: None
    seen: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, pattern: str) -> int:
        return len([line for line in self.seen if re.search(pattern, line)])


@contextmanager
def running_proxy(upstream: str) -> Iterator[Proxy]:
    proxy = Proxy(upstream)

    class Handler(_Handler):
        state = proxy

    with _Server(("127.0.0.1", 0), Handler) as server:
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Proxy

    def log_message(self, *args: object) -> None: ...

    def _serve(self) -> None:
        with self.state.lock:
            short = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}.*|[0-9a-f]{64}", "…", self.path)
            self.state.seen.append(f"{self.command} {short}")
            self.state.headers.append(dict(self.headers.items()))
            fault = self.state.fault(self.command, self.path)
        size = int(self.headers.get("Content-Length", 0))
        if isinstance(fault, ResetAfter):
            self._forward(self.rfile.read(min(fault.size, size)), size)
            self._reset()
            return
        body = self.rfile.read(size)
        if isinstance(fault, Answer):
            self._answer(fault.status, fault.headers, fault.body)
            return
        response, data = self._forward(body, size) or (None, b"")
        assert response is not None
        headers = {name: value for name, value in response.getheaders() if name.lower() not in _HOP}
        if "Location" in headers:
            headers["Location"] = headers["Location"].replace(self.state.upstream, self.state.url)
        if isinstance(fault, Changed):
            headers |= fault.headers
            data = fault.body if fault.body is not None else data
        cut = fault.size if isinstance(fault, CutAnswer) else None
        self._answer(response.status, headers, data, cut)

    def _forward(self, body: bytes, size: int) -> tuple[http.client.HTTPResponse, bytes] | None:
        """None when the body is cut short: the connection to the registry breaks too."""
        connection = http.client.HTTPConnection(self.state.upstream.removeprefix("http://"))
        try:
            connection.putrequest(self.command, self.path, skip_accept_encoding=True, skip_host=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            connection.send(body)
            if len(body) < size:
                return None
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        if status != 204 and length is None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve


_HOP = {"connection", "transfer-encoding", "date", "server"}
