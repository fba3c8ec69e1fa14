"""What the supervisor takes for a platform that serves."""

import socket
from threading import Thread

import pytest
from wherry.supervisor.services import listens, serves


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}", False),
        (b"", False),
        (b"garbage\r\n\r\n", False),
    ],
)
def test_the_web_is_up_once_it_can_do_its_work_and_not_when_it_only_listens(answer: bytes, ready: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listens("127.0.0.1", port)
        server.accept()[0].close()
        thread = Thread(target=_answer_once, args=(server, answer))
        thread.start()
        assert serves("0.0.0.0", port) is ready
        thread.join()
    assert not serves("127.0.0.1", port)


def _answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        assert connection.recv(65536).startswith(b"GET /health/ready ")
        connection.sendall(answer)
