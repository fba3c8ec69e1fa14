"""A platform that is older or newer than the command: a word before, and never a bare 404."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from threading import Thread

import pytest
from wherry import __version__
from wherry.domain.versions import HEADER, apart, order

from tests.cli.conftest import Terminal

ABSENT = {"id": "not_found", "message": "there is no /account here", "request_id": "x", "resource": "endpoint"}


@contextmanager
def platform_of(version: str, status: int, body: object) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = dumps(body).encode()
            self.send_response(status)
            self.send_header(HEADER, version)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("version", "word"), [("0.0.9", "older"), ("99.1.0", "newer")])
def test_a_platform_that_is_far_apart_is_named_once_and_used(terminal: Terminal, version: str, word: str) -> None:
    with platform_of(version, 200, {"email": "me@example.org"}) as url:
        terminal.env["WHERRY_API_URL"] = url
        said = terminal.wherry("whoami")
    assert (said.code, said.out) == (0, "me@example.org\n")
    assert said.err.count(f"The platform is {word} than this CLI: {url} has {version}, this is {__version__}.") == 1


@pytest.mark.parametrize(("version", "word"), [("0.0.9", "older"), ("99.1.0", "newer")])
@pytest.mark.parametrize("status", [404, 405])
def test_an_endpoint_that_it_does_not_know_is_told_by_its_version(
    terminal: Terminal, version: str, word: str, status: int
) -> None:
    with platform_of(version, status, ABSENT) as url:
        terminal.env["WHERRY_API_URL"] = url
        said = terminal.wherry("whoami")
    assert (said.code, said.out) == (16, "")
    assert f" !     the platform is {word} than this CLI" in said.err
    assert "GET /account" in said.err


def test_what_is_missing_on_an_older_platform_stays_missing(terminal: Terminal) -> None:
    with platform_of("0.0.9", 404, {"id": "not_found", "message": "there is no app x"}) as url:
        terminal.env["WHERRY_API_URL"] = url
        said = terminal.wherry("apps:info", "-a", "some-app")
    assert (said.code, "there is no app x" in said.err) == (4, True)


def test_a_platform_of_the_same_version_says_its_version_and_is_not_talked_about(terminal: Terminal, app: str) -> None:
    assert terminal.wherry("apps:info", "-a", app).err == ""
    answer = terminal.house.call("GET", "/nowhere")
    assert answer.headers[HEADER] == __version__
    assert answer.json["resource"] == "endpoint"


def test_only_what_breaks_a_conversation_matters() -> None:
    assert [apart(*pair) for pair in [("0.1.0", "0.1.9"), ("1.2.0", "1.9.0"), ("1.0", "1.0.1")]] == [0, 0, 0]
    assert [apart(*pair) for pair in [("0.1.0", "0.2.0"), ("0.9.0", "1.0.0"), ("1.9.0", "2.0.0")]] == [-1, -1, -1]
    assert [order("1.2.0", "1.10.0"), order("1.2.0", "1.2.0"), order("1.2.1", "1.2")] == [-1, 0, 1]
    assert [order(*pair) for pair in [("\x1b[2J", "1.0.0"), ("1.0.0", ""), ("9" * 99, "1.0.0")]] == [0, 0, 0]
