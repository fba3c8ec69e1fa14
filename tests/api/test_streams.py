"""Logs: sessions, stored logs, and readers who go away."""

from __future__ import annotations

import itertools
import re
import socket
import threading
from contextlib import ExitStack

import pytest
from wherry.api.streams import Streams
from wherry.api.tickets import LogTicket, TailTicket, Tickets
from wherry.domain.secret import Secret

from tests.api.house import House, eventually

_numbers = itertools.count(1)
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 app\[([a-z0-9.]+)\]: (.*)")


@pytest.fixture
def app(house: House) -> str:
    name = f"stream-{next(_numbers)}"
    house.create(name)
    house.release(name)
    return name


def session(house: House, app: str, **wish: object) -> str:
    answer = house.call("POST", f"/apps/{app}/log-sessions", wish)
    assert answer.status == 201, answer.text
    return str(answer.json["logplex_url"]).removeprefix(house.url)


def app_id(house: House, name: str) -> int:
    with house.world.ledger.begin() as tx:
        return tx.apps.by_name(name).id


def test_a_log_session_shows_the_last_lines_in_herokus_format(house: House, app: str) -> None:
    house.write(app_id(house, app), "web.1", b"hello \x1b[31mred\x1b[0m \x07bell")
    house.write(app_id(house, app), "worker.1", b"\xff work")
    lines = house.call("GET", session(house, app, lines=2), by=None).text.split("\n")
    assert [LINE.fullmatch(line).groups() for line in lines if line] == [  # type: ignore[union-attr]
        ("web.1", "hello \x1b[31mred\x1b[0m \\x07bell"),
        ("worker.1", "\ufffd work"),
    ]


@pytest.mark.parametrize(
    ("dyno", "seen"), [("web.1", {"web.1"}), ("web", {"web.1", "web.2"}), ("worker", {"worker.1"})]
)
def test_a_log_session_can_be_of_one_process_or_one_type(house: House, app: str, dyno: str, seen: set[str]) -> None:
    for name in ("web.1", "web.2", "worker.1"):
        house.write(app_id(house, app), name, b"a line")
    text = house.call("GET", session(house, app, dyno=dyno), by=None).text
    assert {match[1] for match in LINE.finditer(text)} == seen


def test_a_source_that_writes_nothing_here_shows_nothing(house: House, app: str) -> None:
    assert house.call("GET", session(house, app, source="heroku"), by=None).text == ""


@pytest.mark.parametrize(
    "wish",
    [
        {"lines": 0},
        {"lines": 10_001},
        {"lines": "5"},
        {"lines": True},
        {"tail": 1},
        {"dyno": "a b"},
        {"dyno": 1},
        {"x": 1},
    ],
)
def test_a_wish_that_is_not_right_makes_no_session(house: House, app: str, wish: dict[str, object]) -> None:
    assert house.call("POST", f"/apps/{app}/log-sessions", wish).status == 422


def test_a_tail_brings_lines_as_they_are_written_as_events(house: House, app: str) -> None:
    request = f"GET {session(house, app, tail=True, lines=1)} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"
    with (
        socket.create_connection(("localhost", house.port), timeout=20) as connection,
        connection.makefile("rb") as answer,
    ):
        connection.sendall(request.encode())
        head = b"".join(iter(answer.readline, b"\r\n"))
        assert b"text/event-stream" in head
        for number in range(3):
            house.write(app_id(house, app), "web.1", f"line {number}".encode())
            found = next(line for line in answer if f"line {number}".encode() in line)
            assert found.startswith(b"data: ")


def test_a_tail_that_was_cut_off_goes_on_after_its_last_line(house: House, app: str) -> None:
    """Nothing is lost, and nothing comes twice."""
    number = app_id(house, app)
    for text in (b"one", b"two", b"three"):
        house.write(number, "web.1", text)
    first = house.call("GET", path := session(house, app), by=None, headers={"Accept": "text/event-stream"}).text
    ids = re.findall(r"^id: (\d+)$", first, re.MULTILINE)
    assert len(ids) == 3
    assert first.endswith("retry: 50\n\n"), "heroku logs waits so long before it ends"
    over = house.call("GET", path, by=None, headers={"Accept": "text/event-stream", "Last-Event-ID": ids[2]})
    assert (over.status, over.text) == (204, "")
    path = session(house, app, tail=True)
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nLast-Event-ID: {ids[0]}\r\n\r\n"
    with socket.create_connection(("localhost", house.port), timeout=20) as link, link.makefile("rb") as answer:
        link.sendall(request.encode())
        told = [line for line in itertools.islice(answer, 30) if line.startswith((b"id: ", b"data: "))][:4]
    assert [line.split()[-1] for line in told] == [ids[1].encode(), b"two", ids[2].encode(), b"three"]


def test_a_session_ends_for_who_may_not_see_the_app_any_more(house: House, app: str) -> None:
    path = session(house, app)
    tickets = Tickets(house.world.ticket_key)
    theirs = tickets.for_tail(TailTicket(app_id(house, app), 1, False, "", "", "other@example.org"))
    assert house.call("GET", path, by=None).status == 200
    assert house.call("GET", f"/streams/sessions/{theirs}", by=None).status == 404


def streaming_threads() -> int:
    return sum(thread.name.startswith("Thread-") for thread in threading.enumerate())


@pytest.mark.parametrize("accept", ["text/plain", "text/event-stream"])
def test_a_reader_who_goes_away_frees_the_thread(house: House, app: str, accept: str) -> None:
    eventually(lambda: streaming_threads() == 0)
    request = f"GET {session(house, app, tail=True)} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n"
    eventually(lambda: streaming_threads() == 0)
    with socket.create_connection(("localhost", house.port), timeout=20) as connection:
        connection.sendall(request.encode())
        assert connection.recv(10)
        eventually(lambda: streaming_threads() == 1)
    eventually(lambda: streaming_threads() == 0)


def test_a_tail_ends_with_its_app(house: House, app: str) -> None:
    url = session(house, app, tail=True)
    ending = threading.Timer(0.2, lambda: house.call("DELETE", f"/apps/{app}"))
    ending.start()
    assert house.call("GET", url, by=None).status == 200
    ending.join()


def test_more_readers_than_threads_can_bear_are_asked_to_come_again(house: House, app: str) -> None:
    request = f"GET {session(house, app, tail=True)} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"
    with ExitStack() as open_ones:
        for _ in range(Streams.MOST):
            reader = open_ones.enter_context(socket.create_connection(("localhost", house.port), timeout=20))
            reader.sendall(request.encode())
            assert b"200" in reader.recv(15)
        answer = house.call("GET", session(house, app), by=None)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    eventually(lambda: house.call("GET", session(house, app), by=None).status == 200)


def test_a_rollouts_log_ends_though_its_writer_died(house: House, app: str) -> None:
    """The release is final in the ledger, and nobody closed its log."""
    number = app_id(house, app)
    with house.world.ledger.begin() as tx:
        release = tx.releases.of_app(number)[0]
    eventually(lambda: house.world.logs.outcome(f"release-{release.id}"))  # its writer has written its last word
    house.world.logs.remove(f"release-{release.id}")
    house.world.logs.append(f"release-{release.id}", "-----> Launching...")
    url = house.call("GET", f"/apps/{app}/releases/v1").json["output_stream_url"]
    assert house.call("GET", url.removeprefix(house.url), by=None).text == "-----> Launching...\n"


def test_a_url_that_we_did_not_sign_or_of_another_kind_opens_nothing(house: House, app: str) -> None:
    ours, theirs = Tickets(house.world.ticket_key), Tickets(Secret("another key"))
    number = app_id(house, app)
    good = ours.for_log(LogTicket(number, "release", 1))
    tail = ours.for_tail(TailTicket(number, 1, False, "", "", "owner@example.org"))
    for path in (
        f"/streams/logs/{theirs.for_log(LogTicket(number, 'release', 1))}",
        f"/streams/logs/{good[:-1]}",
        f"/streams/logs/{tail}",
        f"/streams/sessions/{good}",
        "/streams/logs/x",
    ):
        answer = house.call("GET", path, by=None)
        assert (answer.status, answer.json["id"]) == (404, "not_found"), path


def test_a_logs_url_dies_with_its_app(house: House, app: str) -> None:
    url = house.call("GET", f"/apps/{app}/releases/v1").json["output_stream_url"].removeprefix(house.url)
    assert house.call("GET", url, by=None).status == 200
    house.call("DELETE", f"/apps/{app}")
    assert house.call("GET", url, by=None).status == 404


def test_tickets_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    tickets = Tickets(house.world.ticket_key)
    text = tickets.for_tail(TailTicket(1, 1, False, "", "", "owner@example.org"))
    assert tickets.tail(text).lines == 1
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: 10**10)
    from wherry.domain.errors import NotFound

    with pytest.raises(NotFound):
        tickets.tail(text)
