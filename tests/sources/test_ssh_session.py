"""git that talks to a connection itself: what becomes of one over which nothing is said."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wherry.domain.secret import Secret
from wherry.sources.repositories import Repositories
from wherry.sources.ssh_session import SshTransport
from wherry.sources.transport import HookCall, Service

HOOK = HookCall("http://127.0.0.1:9/", Secret("ticket"), "marker")


@contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    """(ours, the client's)"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
        with ours, client:
            client.settimeout(60)
            yield ours, client


def read_all(link: socket.socket) -> bytes:
    got = b""
    while chunk := link.recv(65536):
        got += chunk
    return got


def test_a_pusher_who_says_nothing_loses_its_place(repositories: Repositories) -> None:
    transport, said = SshTransport(repositories, most=1, idle=2.5), list[str]()
    with connected() as (up, sends), connected() as (down, reads):
        serving = threading.Thread(target=lambda: said.extend(transport.serve(1, Service.PUSH, HOOK, up, down)))
        serving.start()
        assert b"report-status" in read_all(reads)  # git offered what it can, and then the connection ended
        serving.join(60)
    assert said[0] == "nothing came or went for 2.5 seconds, or it took too long altogether"
    with connected() as (up, sends), connected() as (down, reads):
        sends.sendall(b"0000")  # a client that wants nothing, and the place is free for it
        sends.shutdown(socket.SHUT_WR)
        assert transport.serve(1, Service.PUSH, HOOK, up, down) == []
