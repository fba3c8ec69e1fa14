"""B66: receivers of webhooks that hang, talk for ever, lead elsewhere or are not who they say."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from wherry.domain.public import networks
from wherry.domain.secret import Secret
from wherry.domain.webhooks import place
from wherry.drains.dial import Dialer
from wherry.drains.posts import HttpsPost
from wherry.flow.webhook_ports import Unsent

from tests.drains.receivers import certificate, server_side

POST = HttpsPost(Dialer(networks("127.0.0.0/8")), seconds=60.0)
HASTY = HttpsPost(POST.dialer, seconds=1.0)
Answer = Callable[[socket.socket, threading.Event], None]


@contextmanager
def receiver(context: ssl.SSLContext | None, answer: Answer) -> Iterator[int]:
    """One connection: `answer` gets its socket once the request is read, and an event that is set at the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        with suppress(OSError), listener.accept()[0] as plain:
            link = context.wrap_socket(plain, server_side=True) if context else plain
            with link:
                got = b""
                while not got.endswith(b"{}"):  # what is unread when this end closes would cut the answer off
                    got += link.recv(65536) or b"{}"
                answer(link, over)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.close()
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def pem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def send(port: int, post: HttpsPost = POST) -> int:
    return post.send(place(f"https://127.0.0.1:{port}/in"), {"A": "b"}, b"{}", Secret("Bearer x"))


def _silent(link: socket.socket, over: threading.Event) -> None:
    over.wait(100)


def _slow(link: socket.socket, over: threading.Event) -> None:
    """A byte now and then, so that no single wait is long."""
    for each in itertools.cycle(b"HTTP/1.1 200 OK\r\nX: "):
        link.sendall(bytes([each]))
        if over.wait(0.05):
            return


def _slow_body(link: socket.socket, over: threading.Event) -> None:
    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not over.wait(0.05):
        link.sendall(b"x")


def _endless(link: socket.socket, over: threading.Event) -> None:
    """Ends only when nobody reads it any more."""
    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")
    while True:
        link.sendall(b"x" * 65536)


def _moved(link: socket.socket, over: threading.Event) -> None:
    link.sendall(b"HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")


def _nonsense(link: socket.socket, over: threading.Event) -> None:
    link.sendall(b"ssh-2.0 hello\r\n\r\n")


@pytest.mark.parametrize("answer", [_silent, _slow, _slow_body])
def test_b66_a_receiver_that_hangs_costs_the_time_limit_and_no_more(pem: Path, answer: Answer) -> None:
    with receiver(server_side(pem), answer) as port, pytest.raises(Unsent, match="timeout"):
        send(port, HASTY)


def test_b66_a_handshake_that_hangs_does_too(pem: Path) -> None:
    with receiver(None, _silent) as port, pytest.raises(Unsent, match="timeout"):
        send(port, HASTY)


def test_b66_of_an_endless_answer_a_little_is_read(pem: Path) -> None:
    with receiver(server_side(pem), _endless) as port:
        assert send(port) == 200


def test_b66_a_redirect_is_an_answer_and_is_not_followed(pem: Path) -> None:
    with receiver(server_side(pem), _moved) as port:
        assert send(port) == 301


def test_b66_what_is_no_http_is_no_answer(pem: Path) -> None:
    with receiver(server_side(pem), _nonsense) as port, pytest.raises(Unsent, match="no HTTP answer"):
        send(port)


def test_b66_a_wrong_certificate_gets_nothing(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    got: list[bytes] = []
    with (
        receiver(server_side(pem), lambda link, over: got.append(b"")) as port,
        pytest.raises(Unsent, match="bad certificate"),
    ):
        send(port)
    assert got == []


def test_t27_a_host_inside_is_not_reached(pem: Path) -> None:
    with pytest.raises(Unsent, match="unreachable host"):
        HttpsPost(Dialer()).send(place("https://127.0.0.1:9/"), {}, b"", None)
