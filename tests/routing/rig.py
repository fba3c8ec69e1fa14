"""A real Envoy of a test's own, and visitors."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from wherry.domain.workload import AppRoute
from wherry.routing.process import command, ready
from wherry.routing.router import EnvoyRouter
from wherry.settings import Settings

from tests.ports import free_port
from tests.routing.origin import Origin


class Rig:
    """`start` and `kill` as often as a test likes; the folder stays."""

    def __init__(self, home: Path, domain: str = "localhost", port: int | None = None) -> None:
        (home / "router").mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.settings = Settings(home=str(home), router_port=str(self.port), apps_domain=domain)
        self.folder = home / "router"
        self.router = EnvoyRouter(self.folder, domain)
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self, argv: list[str] | None = None) -> subprocess.Popen[bytes]:
        with (self.folder / "envoy.out").open("ab") as out:
            self.process = subprocess.Popen(
                argv or command(self.settings),
                env={**os.environ, **self.settings.environ()},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.process

    def start(self, argv: list[str] | None = None) -> Rig:
        process = self.spawn(argv)
        deadline = time.monotonic() + 60
        while not ready(self.settings):
            assert process.poll() is None, (self.folder / "envoy.out").read_text()
            assert time.monotonic() < deadline, "envoy is not ready"
            time.sleep(0.02)
        return self

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(20)
        self.process = None

    def close(self) -> None:
        if self.process is not None:
            self.kill()

    def visit(self, host: str, path: str = "/", method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            name = host if "." in host else f"{host}.localhost"
            named = {key.replace("_", "-"): value for key, value in headers.items()}
            connection.request(method, path, headers={"Host": f"{name}:{self.port}", **named})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), dict(answer.getheaders()))
        finally:
            connection.close()

    def raw(self, request: bytes) -> bytes:
        """All that comes back for these very bytes."""
        with self.connect() as link:
            link.sendall(request)
            return read_all(link)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


class Answer:
    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> str:
        found = re.search(r"<dt>Code</dt><dd>([^<]*)</dd>", self.text)
        return found[1] if found else ""


def route(app_id: int, host: str, release: int, *origins: Origin) -> AppRoute:
    return AppRoute(app_id, (host,), release, tuple(each.endpoint for each in origins))


def read_all(link: socket.socket) -> bytes:
    """Until the other side closes, or is silent after its first answer (Envoy closes a second after a refusal)."""
    read = b""
    try:
        link.settimeout(30)
        while part := link.recv(65536):
            read += part
            if _lacks(read) <= 0:
                link.settimeout(0.2)
    except TimeoutError:
        pass
    return read


def _lacks(read: bytes) -> int:
    """How much of the first answer is to come yet, where it says how long it is."""
    head, blank, body = read.partition(b"\r\n\r\n")
    told = re.search(rb"(?mi)^content-length: *([0-9]+)", head)
    return int(told[1]) - len(body) if blank and told else 0


def status_of(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1]) if reply else 0
