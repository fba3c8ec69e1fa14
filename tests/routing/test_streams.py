"""Bytes pass as they come, both ways, however many."""

from __future__ import annotations

import hashlib
import http.client
import os
from pathlib import Path

import pytest
from wherry.flow.ports import Cancel

from tests.routing.origin import CHUNK, Origin
from tests.routing.rig import Rig, read_all, route, status_of

SIZE = 50 * 1024 * 1024
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: shop.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture(autouse=True)
def shop(rig: Rig, one: Origin) -> None:
    rig.router.replace([route(1, "shop", 1, one)])


def test_each_chunk_arrives_before_the_next_is_sent(rig: Rig, one: Origin) -> None:
    with rig.connect() as link:
        link.sendall(b"GET /drip HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n")
        seen = b""
        for number in range(3):
            while b"line%d" % number not in seen:
                seen += link.recv(4096)
            assert b"line%d" % (number + 1) not in seen
            one.open_gate()
        assert read_all(link).endswith(b"0\r\n\r\n")


def test_an_upload_and_a_download_of_50_mib_stay_out_of_the_routers_memory(rig: Rig) -> None:
    before = resident(rig)
    connection = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=60)
    body = (CHUNK for _ in range(SIZE // len(CHUNK)))
    connection.request("POST", "/upload", body, {"Host": "shop.localhost", "Content-Length": str(SIZE)})
    digest = hashlib.sha256(b"x" * SIZE).hexdigest()
    assert connection.getresponse().read().decode() == f"{SIZE} {digest}"
    connection.request("GET", f"/download?{SIZE}", headers={"Host": "shop.localhost"})
    answer = connection.getresponse()
    received = 0
    while part := answer.read(65536):
        received += len(part)
    connection.close()
    assert received == SIZE
    assert resident(rig) - before < 20 * 1024 * 1024


def test_an_upload_in_chunks_arrives_whole(rig: Rig) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=60)
    connection.request("POST", "/upload", iter([b"ab", b"cd"]), {"Host": "shop.localhost"}, encode_chunked=True)
    assert connection.getresponse().read().decode() == f"4 {hashlib.sha256(b'abcd').hexdigest()}"
    connection.close()


def test_a_websocket_passes_both_ways(rig: Rig) -> None:
    with rig.connect() as link:
        assert status_of(open_websocket(link)) == 101
        for word in (b"one", b"two"):
            link.sendall(word)
            assert link.recv(100) == word.upper()


def test_a_websocket_without_a_key_is_not_passed_on_as_one(rig: Rig) -> None:
    reply = rig.raw(b"GET /hello HTTP/1.1\r\nHost: shop.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    assert status_of(reply) == 200


def test_a_websocket_to_a_process_that_stays_outlives_a_scale(rig: Rig, one: Origin, two: Origin) -> None:
    with rig.connect() as link:
        open_websocket(link)
        rig.router.publish(route(1, "shop", 1, one, two))
        assert rig.router.drain(1, 1, 10.0, Cancel())
        rig.router.publish(route(2, "blog", 1, two))
        link.sendall(b"still here")
        assert link.recv(100) == b"STILL HERE"


def test_a53_a_websocket_to_an_earlier_release_lives_until_its_process_ends(rig: Rig, one: Origin, two: Origin) -> None:
    with rig.connect() as link:
        open_websocket(link)
        rig.router.publish(route(1, "shop", 2, two))
        assert not rig.router.drain(1, 2, 0.2, Cancel())
        link.sendall(b"still here")
        assert link.recv(100) == b"STILL HERE"


def open_websocket(link) -> bytes:  # type: ignore[no-untyped-def]
    link.sendall(HANDSHAKE)
    head = b""
    while b"\r\n\r\n" not in head:
        head += link.recv(4096)
    return head


def resident(rig: Rig) -> int:
    assert rig.process is not None
    pages = Path(f"/proc/{rig.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
