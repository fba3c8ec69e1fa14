"""Drains to real receivers on this machine, which the dialer is allowed to reach."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from wherry.domain.drains import Drain, target
from wherry.domain.errors import InvalidInput
from wherry.domain.log import LogLine
from wherry.domain.public import networks
from wherry.domain.secret import Secret
from wherry.drains import frames
from wherry.drains.dial import Dialer, Refused
from wherry.drains.sender import Sender
from wherry.logs.app_logs import FileAppLogs

from tests.contract.test_app_logs import entry
from tests.drains.receivers import HttpsReceiver, SyslogReceiver, certificate, closing_all, server_side
from tests.runtimes.machine_world import eventually

TOKEN = "d.01234567-89ab-cdef-0123-456789abcdef"
HERE = Dialer(networks("127.0.0.0/8"))
Start = Callable[[str], Sender]


@pytest.fixture
def logs(tmp_path: Path) -> FileAppLogs:
    return FileAppLogs(tmp_path / "app-logs", 64 * 1024)


@pytest.fixture
def start(logs: FileAppLogs) -> Iterator[Start]:
    """A sender to this URL; they end with the test."""
    senders = []

    def begin(url: str) -> Sender:
        sender = Sender(Drain(1, 1, TOKEN, Secret(url), datetime.now(UTC)), logs, HERE, first_pause=0.05)
        sender.start()
        senders.append(sender)
        return sender

    yield begin
    for sender in senders:
        sender.stop()
    logs.append(1, [entry("wakes them")])
    for sender in senders:
        sender.join(20)


@pytest.fixture
def pem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def write(logs: FileAppLogs, first: int, count: int) -> None:
    logs.append(1, [entry(f"line {number}") for number in range(first, first + count)])


def texts(messages: list[str]) -> list[str]:
    return [message.rpartition(" - ")[2].rstrip("\n") for message in messages]


def test_a_line_is_written_as_heroku_writes_it() -> None:
    at = "2026-11-21T08:00:00.123456789Z"
    app, router = LogLine(at, "app", "web.1", "häy"), LogLine(at, "heroku", "router", "at=info")
    assert frames.syslog(app, TOKEN) == f"97 <190>1 2026-11-21T08:00:00.123456+00:00 {TOKEN} app web.1 - - häy".encode()
    assert frames.logplex(router) == b"69 <158>1 2026-11-21T08:00:00.123456+00:00 host heroku router - at=info\n"
    assert frames.logplex(LogLine(at, "heroku", "web.1", "x")).startswith(b"61 <45>1 ")


@pytest.mark.parametrize("scheme", ["syslog", "syslog+tls"])
def test_lines_go_on_by_syslog_and_a_receiver_that_comes_back_gets_what_waited(
    logs: FileAppLogs, start: Start, pem: Path, scheme: str
) -> None:
    context = server_side(pem) if scheme == "syslog+tls" else None
    receiver = SyslogReceiver(context)
    with closing_all(receiver):
        write(logs, 0, 3)  # before the drain: not sent
        start(f"{scheme}://127.0.0.1:{receiver.port}")
        write(logs, 3, 200)
        assert texts(receiver.take(200)) == [f"line {number}" for number in range(3, 203)]
        port = receiver.port
    write(logs, 203, 50)
    eventually(lambda: any("fails: " in kept.line.text for kept in logs.read(1, 10)))
    receiver = SyslogReceiver(context, port)
    with closing_all(receiver):
        got = texts(receiver.take(51))
    assert [text for text in got if text.startswith("line")] == [f"line {number}" for number in range(203, 253)]
    assert any(text.startswith(f"Drain {TOKEN} to {scheme}://127.0.0.1:{port} fails: ") for text in got)


def test_lines_go_on_by_https_in_batches_with_the_logins_and_headers_of_logplex(
    logs: FileAppLogs, start: Start, pem: Path
) -> None:
    receiver = HttpsReceiver(server_side(pem))
    with closing_all(receiver):
        start(f"https://me:secret@localhost:{receiver.port}/in?a=b")
        write(logs, 0, 500)
        posts = [receiver.take()]
        while sum(len(post[2]) for post in posts) < 500:
            posts.append(receiver.take())
        assert [text for post in posts for text in texts(post[2])] == [f"line {number}" for number in range(500)]
    path, headers, messages = posts[0]
    assert path == "/in?a=b"
    assert (headers["Content-Type"], headers["Logplex-Drain-Token"]) == ("application/logplex-1", TOKEN)
    assert (headers["Logplex-Msg-Count"], headers["Authorization"]) == (str(len(messages)), "Basic bWU6c2VjcmV0")
    assert headers["Host"] == f"localhost:{receiver.port}"


def test_a_batch_that_is_refused_is_sent_again_as_the_same_frame_and_no_redirect_is_followed(
    logs: FileAppLogs, start: Start, pem: Path
) -> None:
    receiver = HttpsReceiver(server_side(pem))
    with closing_all(receiver):
        for status in (500, 302):
            receiver.answers.put(status)
        start(f"https://127.0.0.1:{receiver.port}/in")
        write(logs, 0, 2)
        first, second, third, told = (receiver.take() for _ in range(4))
    assert first[2] == second[2] == third[2]
    assert len({each[1]["Logplex-Frame-Id"] for each in (first, second, third)}) == 1
    assert texts(told[2])[0].endswith("fails: it answers 500. Its lines wait.")


def test_a_sender_that_starts_again_repeats_nothing(logs: FileAppLogs, start: Start) -> None:
    receiver = SyslogReceiver()
    with closing_all(receiver):
        sender = start(f"syslog://127.0.0.1:{receiver.port}")
        write(logs, 0, 5)
        assert len(receiver.take(5)) == 5
        eventually(lambda: logs.position("drain-1") == "5")
        sender.stop()
        write(logs, 5, 1)
        sender.join(20)
        write(logs, 6, 5)
        start(f"syslog://127.0.0.1:{receiver.port}")
        assert texts(receiver.take(6)) == [f"line {number}" for number in range(5, 11)]


def test_what_left_the_buffer_is_counted(logs: FileAppLogs, start: Start) -> None:
    receiver = SyslogReceiver()
    with closing_all(receiver):
        logs.append(1, [entry("first")])
        logs.move("drain-1", "1")
        write(logs, 0, 3000)
        oldest = logs.read(1, 5000)[0].number
        start(f"syslog://127.0.0.1:{receiver.port}")
        told, following = texts(receiver.take(2))
    assert f"dropped {oldest - 2} lines" in told
    assert told.startswith("Error L10 (Drain buffer overflow)")
    assert following == f"line {oldest - 2}"


def test_t27_a_certificate_for_another_name_gets_no_line(
    logs: FileAppLogs, start: Start, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    receiver = SyslogReceiver(server_side(pem))
    with closing_all(receiver):
        start(f"syslog+tls://127.0.0.1:{receiver.port}")
        write(logs, 0, 1)
        eventually(lambda: any("certificate verify failed" in kept.line.text for kept in logs.read(1, 10)))
    assert receiver.messages.empty()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0177.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254"]
)
def test_t27_a_host_inside_is_refused_whatever_it_is_called(host: str) -> None:
    try:
        parts = target(f"https://{host}/")
    except InvalidInput:
        return
    with pytest.raises(InvalidInput, match="this is no drain"):
        Dialer().check(parts)


def test_t27_a_name_that_later_leads_inside_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each connection goes to an address that was just checked: the name is not asked again in between."""
    answers = iter(["1.1.1.1", "127.0.0.1"])

    def resolve(host: str, port: int, **_: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    dialled: list[object] = []

    def connect(address: object, timeout: float) -> socket.socket:
        dialled.append(address)
        raise OSError("not in a test")

    monkeypatch.setattr(socket, "create_connection", connect)
    parts = target("syslog://rebind.example.org:514")
    with pytest.raises(OSError, match="not in a test"):
        Dialer().connect(parts)
    with pytest.raises(Refused):
        Dialer().connect(parts)
    assert dialled == [("1.1.1.1", 514)]


def test_many_threads_may_use_one_dialer() -> None:
    threads = [threading.Thread(target=HERE.addresses, args=(target("syslog://127.0.0.1:514"),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
