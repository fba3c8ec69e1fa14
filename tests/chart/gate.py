"""Holds builds until a test lets them go: a script in the app's project.toml asks, and gets no answer before that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread

from tests.journeys.harness import App

_SCRIPT = """\
[_]
schema-version = "0.2"

[[io.buildpacks.pre.group]]
id = "test/gate"
[io.buildpacks.pre.group.script]
api = "0.10"
inline = '''python3 -c "import urllib.request as u; u.urlopen('{url}', timeout=300)"'''
"""


class Gate:
    def __init__(self, url: str) -> None:
        self._url = url
        self._changed = Condition()
        self._came: set[str] = set()
        self._open: set[str] = set()

    def hold(self, app: App) -> None:
        """The next builds of the app, until `open`."""
        app.write("project.toml", _SCRIPT.format(url=f"{self._url}/{app.name}"))
        app.commit("Wait at the gate")

    def await_build(self, app: App) -> None:
        """Until one of the app has come to the gate."""
        with self._changed:
            assert self._changed.wait_for(lambda: app.name in self._came, 120), f"no build of {app.name} came"

    def open(self, app: App) -> None:
        with self._changed:
            self._open.add(app.name)
            self._changed.notify_all()

    def pass_through(self, name: str) -> None:
        with self._changed:
            self._came.add(name)
            self._changed.notify_all()
            self._changed.wait_for(lambda: name in self._open)


@contextmanager
def gate_at(address: str) -> Iterator[Gate]:
    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            gate.pass_through(self.path.strip("/"))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Those that were killed while they waited."""

    with Server((address, 0), Asked) as server:
        gate = Gate(f"http://{address}:{server.server_port}")
        Thread(target=server.serve_forever, daemon=True).start()
        yield gate
        server.shutdown()
