"""The same doors behind the server that production uses: what only a server's own parsing and threads can show."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from wherry.ledger.ledger import SqlLedger

from tests.api.clone import Clone
from tests.api.house import House, PlayedBuilder, PlayedRouter, eventually, make_world
from tests.fakes.runtime import InMemoryRuntime
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
THREADS = 6


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    world = make_world(folder, port, InMemoryRuntime())
    argv = [sys.executable, "-m", "gunicorn", "tests.api.served:app", "--bind", f"127.0.0.1:{port}"]
    argv += ["--worker-class", "gthread", "--threads", str(THREADS), "--no-control-socket", "--log-level", "warning"]
    env = {**os.environ, "HOUSE_FOLDER": str(folder), "HOUSE_PORT": str(port), "PYTHONPATH": f"{ROOT}:{ROOT}/platform"}
    with subprocess.Popen(argv, cwd=ROOT, env=env) as server:
        try:
            eventually(lambda: _listens(port))
            yield House(folder, world, InMemoryRuntime(), PlayedBuilder(), PlayedRouter(), Flask("elsewhere"), port)
        finally:
            server.terminate()
            server.wait(60)
            assert isinstance(world.ledger, SqlLedger)
            world.ledger.close()


def raw(house: House, request: bytes, most: int = 65536) -> bytes:
    with socket.create_connection(("127.0.0.1", house.port), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while (part := connection.recv(most)) and len(answer) < most:
            answer += part
        return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def head(house: House, line: str, *more: str) -> bytes:
    lines = [line, "Host: localhost", f"Authorization: Bearer {house.token('owner')}", "Connection: close", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_a_push_goes_through_with_its_body_in_chunks_and_its_hooks_in_http_1_0(house: House, tmp_path: Path) -> None:
    assert house.create("chunked-app")
    clone = Clone(house, tmp_path / "clone", "chunked-app")
    clone.git("config", "http.postBuffer", "65536")
    (clone.folder / "large").write_bytes(os.urandom(400_000))
    clone.commit(Procfile="web: serve\n")
    code, said = clone.push()
    assert code == 0, said
    lines = [line.rstrip() for line in said.split("\n")]
    assert "remote:        Released v1" in lines
    assert lines[1].startswith("remote: -----> Building")


def test_b50_two_authorization_headers_are_a_400(house: House) -> None:
    assert status(raw(house, head(house, "GET /account HTTP/1.1", "Authorization: Bearer other"))) == 400
    assert status(raw(house, head(house, "GET /account HTTP/1.1"))) == 200


def test_b56_a_chunked_body_over_1_mib_is_a_413(house: House) -> None:
    chunks = b"".join(b"10000\r\n" + b"a" * 65536 + b"\r\n" for _ in range(17)) + b"0\r\n\r\n"
    more = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    assert status(raw(house, head(house, "POST /apps HTTP/1.1", *more) + chunks)) == 413


def test_b56_a_body_shorter_than_its_length_is_a_400(house: House) -> None:
    more = ("Content-Type: application/json", "Content-Length: 100")
    answer = raw(house, head(house, "POST /apps HTTP/1.1", *more) + b'{"name": "cut-off')
    assert answer == b"" or status(answer) == 400


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("GET /apps//formation HTTP/1.1", {404}),
        ("GET //dashboard HTTP/1.1", {404}),
        ("GET /apps/%2e%2e/account HTTP/1.1", {404}),
        ("get /apps HTTP/1.1", {400, 405}),
        ("TRACE /apps HTTP/1.1", {405}),
        ("PROPFIND /apps HTTP/1.1", {405}),
    ],
)
def test_b54_b74_odd_requests_are_refused(house: House, line: str, codes: set[int]) -> None:
    assert status(raw(house, head(house, line))) in codes


@pytest.mark.parametrize("accept", ["text/plain", "text/event-stream"])
def test_readers_who_go_away_free_their_threads(house: House, accept: str) -> None:
    name = f"tailed-{accept[5:7]}"
    house.create(name)
    url = house.call("POST", f"/apps/{name}/log-sessions", {"tail": True}).json["logplex_url"]
    path = str(url).removeprefix(house.url)
    for _ in range(THREADS * 3):
        with socket.create_connection(("127.0.0.1", house.port), timeout=20) as connection:
            connection.sendall(head(house, f"GET {path} HTTP/1.1", f"Accept: {accept}"))
            assert b"200 OK" in connection.recv(1000)
    began = time.monotonic()
    assert house.call("GET", "/health/live", by=None).status == 200
    assert time.monotonic() - began < 60


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
