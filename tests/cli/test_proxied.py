"""Between the command and the platform stands a proxy, as an Ingress has one."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest

from tests.api.house import House
from tests.cli.conftest import Terminal


@pytest.fixture
def small_names(terminal: Terminal, house: House) -> Iterator[Terminal]:
    """A user who reaches the platform through a proxy that writes the names of headers small (Envoy does)."""

    class Proxy(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            upstream = http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=30)
            upstream.request(self.command, self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            said = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name.lower(), value)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
            upstream.close()

        do_GET = do_PATCH = do_POST = do

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        terminal.env["WHERRY_API_URL"] = f"http://127.0.0.1:{server.server_port}"
        try:
            yield terminal
        finally:
            server.shutdown()
            thread.join()


def test_small_header_names_hide_neither_a_release_nor_the_next_page(
    small_names: Terminal, app: str, house: House
) -> None:
    assert "done, v2" in small_names.wherry("config:set", "A=1", "-a", app, "--no-wait").err
    for number in range(201):
        house.create(f"paged-{number}")
    assert "paged-200" in small_names.wherry("apps").out
