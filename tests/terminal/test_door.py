"""The terminal door, as Heroku's client and ours knock at it."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from wherry.domain import frames
from wherry.domain.frames import Frames, Kind

from tests.api.house import House, eventually
from tests.ports import free_port
from tests.terminal.doors import open_door

CA = ssl.PROTOCOL_TLS_CLIENT


def ask(house: House, command: str, path: str = "/apps/talker/dynos", **more: object) -> Any:
    answer = house.call("POST", path, {"command": command, "attach": True, **more})
    assert answer.status == 201, answer.text
    return answer.json


@contextmanager
def knock(house: House, first: bytes, port: int = 0) -> Iterator[ssl.SSLSocket]:
    """With the certificate that the platform shows trusted as its own authority, as NODE_EXTRA_CA_CERTS does it."""
    context = ssl.create_default_context(cafile=str(house.world.certificate.chain))
    with (
        socket.create_connection(("localhost", port or house.world.settings.number("terminal_port")), 20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.sendall(first)
        yield connection


def all_of(connection: ssl.SSLSocket) -> bytes:
    read = b""
    while chunk := connection.recv(65536):
        read += chunk
    return read


def word_of(made: Any) -> bytes:
    return urlsplit(made["attach_url"]).path.lstrip("/").encode()


def gone(house: House) -> bool:
    return not house.runtime.tasks()


def test_the_answer_says_where_and_which_certificate(house: House) -> None:
    made = ask(house, "true")
    url = urlsplit(made["attach_url"])
    settings = house.world.settings
    assert (url.scheme, url.hostname, url.port) == ("rendezvous", "localhost", settings.number("terminal_port"))
    shown = ssl.get_server_certificate(("127.0.0.1", settings.number("terminal_port")))
    assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest() == made["attach_fingerprint"]
    assert re.fullmatch(r"run\.[1-9][0-9]{3}", made["name"])
    assert made["state"] == "starting"


def test_herokus_dialect_is_a_greeting_and_then_bytes_of_a_terminal(house: House) -> None:
    made = ask(house, "read go; stty size; cat", env={"TERM": "xterm", "COLUMNS": 132, "LINES": 50})
    with knock(house, word_of(made) + b"\r\n") as connection:
        assert connection.recv(100) == b"rendezvous\r\n"
        connection.sendall(b"go\nsaid\n\x04")
        said = all_of(connection)
    assert b"50 132\r\n" in said
    assert said.count(b"said\r\n") == 2
    eventually(lambda: gone(house))


def test_herokus_client_ends_the_input_without_a_terminal(house: House) -> None:
    made = ask(house, "cat; echo over", force_no_tty=True)
    with knock(house, word_of(made) + b"\r\n") as connection:
        assert connection.recv(100) == b"rendezvous\r\n"
        connection.sendall(b"a\x04b")
        connection.sendall(b"c")
        connection.sendall(b"\x04")
        assert all_of(connection) == b"a\x04bcover\n"


def test_our_dialect_tells_output_from_errors_and_the_exit_code(house: House) -> None:
    made = ask(house, "cat; echo no >&2; exit 9", force_no_tty=True)
    with knock(house, word_of(made) + b" wherry/1\n") as connection:
        connection.sendall(frames.frame(Kind.INPUT, b"hello") + frames.frame(Kind.END))
        heard = dict[Kind, bytes]()
        for kind, data in Frames().feed(all_of(connection)):
            heard[kind] = heard.get(kind, b"") + data
    assert (heard[Kind.OUT], heard[Kind.ERR]) == (b"hello", b"no\n")
    assert frames.read_number(heard[Kind.TAKEN]) == (5, "")
    assert frames.read_number(heard[Kind.ENDED]) == (9, "")


def test_a_signal_passes_input_that_nobody_reads(house: House) -> None:
    made = ask(house, "trap 'exit 4' INT; echo on; while :; do sleep 0.1; done", force_no_tty=True)
    with knock(house, word_of(made) + b" wherry/1\n") as connection:
        assert connection.recv(100) == frames.frame(Kind.OUT, b"on\n")
        for _ in range(frames.WINDOW // 32768):
            connection.sendall(frames.frame(Kind.INPUT, b"x" * 32768))
        connection.sendall(frames.frame(Kind.SIGNAL, b"INT"))
        assert Frames().feed(all_of(connection))[-1][0] is Kind.ENDED


@pytest.mark.parametrize("dialect", [b"", b" wherry/1"])
def test_t04_a_word_that_is_unknown_or_used_opens_nothing(house: House, dialect: bytes) -> None:
    word = word_of(ask(house, "true"))
    with knock(house, word + dialect + b"\n") as connection:
        all_of(connection)
    for wrong in (word, b"x" * 43, b"short", b"", b"GET / HTTP/1.1\r", b"a" * 20 + b"/../" + b"a" * 20):
        with knock(house, wrong + dialect + b"\n") as connection:
            assert b"wherry run COMMAND" in all_of(connection)
    eventually(lambda: gone(house))


@pytest.mark.parametrize(
    "noise", [b"\xff" * 200, b"\x01\xff\xff\xff\xff", b"\x03\x00\x00\x00\x01x", b"\x03\x00\x00\x00\x04\0\0\0\0"]
)
def test_noise_in_our_dialect_ends_the_session_and_what_it_ran(house: House, noise: bytes) -> None:
    word = word_of(ask(house, "sleep 600"))
    with knock(house, word + b" wherry/1\n" + noise) as connection:
        all_of(connection)
    eventually(lambda: gone(house))


def test_a_line_without_end_and_plain_text_are_shut_out(house: House) -> None:
    # It may be shut out before it has said all of it.
    with suppress(ssl.SSLError, ConnectionError), knock(house, b"x" * 200_000) as connection:
        assert all_of(connection) == b""
    with socket.create_connection(("127.0.0.1", house.world.settings.number("terminal_port")), 20) as plain:
        plain.sendall(b"hello?\n" * 100)
        try:
            while plain.recv(1000):
                pass
        except ConnectionResetError:
            pass


def test_a_client_that_goes_takes_its_one_off_along(house: House) -> None:
    word = word_of(ask(house, "echo on; sleep 600"))
    with knock(house, word + b"\r\n") as connection:
        assert connection.recv(100) == b"rendezvous\r\n"
        assert connection.recv(100) == b"on\r\n"
    eventually(lambda: gone(house))


def test_a_one_off_whose_time_is_up_ends_and_says_so(house: House) -> None:
    word = word_of(ask(house, "echo on; sleep 600", time_to_live=1))
    with knock(house, word + b" wherry/1\n") as connection:
        kind, data = Frames().feed(all_of(connection))[-1]
    assert kind is Kind.ENDED
    assert frames.read_number(data) == (137, "its time was up")
    eventually(lambda: gone(house))


def test_stopping_a_one_off_ends_its_session(house: House) -> None:
    made = ask(house, "echo on; sleep 600")
    with knock(house, word_of(made) + b" wherry/1\n") as connection:
        assert connection.recv(100) == frames.frame(Kind.OUT, b"on\r\n")
        assert house.call("POST", f"/apps/talker/dynos/{made['name']}/actions/stop").status == 202
        assert Frames().feed(all_of(connection))[-1][0] is Kind.ENDED
    eventually(lambda: house.call("GET", f"/apps/talker/dynos/{made['id']}").status == 404)


def test_inside_a_process(house: House) -> None:
    made = ask(house, "echo within; exit 5", path="/apps/talker/dynos/web.1", force_no_tty=True)
    with knock(house, word_of(made) + b" wherry/1\n") as connection:
        *_, out, end = Frames().feed(all_of(connection))
    assert out == (Kind.OUT, b"within\n")
    assert frames.read_number(end[1]) == (5, "")
    assert house.runtime.entered[-1][0] == "web.1"
    refused = house.call("POST", "/apps/talker/dynos/web.9", {"command": "true"})
    assert (refused.status, refused.json["id"]) == (404, "not_found")


def test_a_door_that_closes_ends_what_was_talked_to(house: House) -> None:
    from dataclasses import replace

    from wherry.settings import Settings

    port = free_port()
    settings = Settings.load({**house.world.settings.environ(), "WHERRY_TERMINAL_PORT": str(port)})
    with open_door(replace(house.world, settings=settings)):
        word = word_of(ask(house, "echo on; sleep 600"))
        with knock(house, word + b"\r\n", port) as connection:
            assert connection.recv(100) == b"rendezvous\r\n"
            assert connection.recv(100) == b"on\r\n"
    eventually(lambda: gone(house))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "command"),
        ({"command": "x", "env": ["A=1"]}, "env"),
        ({"command": "x", "env": {"A": True}}, "env"),
        ({"command": "x", "env": {"PORT": "1"}}, "PORT"),
        ({"command": "x", "time_to_live": "soon"}, "time_to_live"),
        ({"command": "x", "time_to_live": 86401}, "time_to_live"),
        ({"command": 7}, "command"),
        ({"command": "x", "size": "Giant"}, "size"),
        ({"command": "x", "atach": True}, "atach"),
        ({"command": "x", "type": "a.b"}, "type"),
    ],
)
def test_a_wrong_request_is_refused_with_its_place(house: House, body: dict[str, object], problem: str) -> None:
    answer = house.call("POST", "/apps/talker/dynos", body)
    assert (answer.status, answer.json["id"]) == (422, "invalid_params")
    assert problem in " ".join(answer.json["problems"])
