"""The two hook scripts against a bare socket: what they send, what they show, and when they refuse."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from wherry.hook import FOLDER

from tests.ports import free_port

UPDATE = f"{'0' * 40} {'a' * 40} refs/heads/main\n"
OK = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"
MARKER = "m4rk3r"
HOOKS = ("pre-receive", "post-receive")


class Api:
    """Answers one request with `answer`, and keeps what was asked."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.answer = answer
        self.asked = b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/hooks"
        self.thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        connection, _ = self.socket.accept()
        with connection:
            while b"\r\n\r\n" not in self.asked:
                self.asked += connection.recv(65536)
            head, _, body = self.asked.partition(b"\r\n\r\n")
            length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(65536)
            self.asked = head + b"\r\n\r\n" + body
            self.answer(connection)


@contextmanager
def api(answer: bytes | Callable[[socket.socket], None]) -> Iterator[Api]:
    served = Api(answer if callable(answer) else lambda connection: connection.sendall(answer))
    served.thread.start()
    try:
        yield served
    finally:
        served.thread.join(20)
        served.socket.close()


def environment(url: str, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "WHERRY_HOOK_URL": url,
        "WHERRY_TICKET": "t1ck3t",
        "WHERRY_MARKER": MARKER,
        "GIT_QUARANTINE_PATH": "/repositories/1.git/objects/tmp_objdir-incoming-x",
        **more,
    }


def run(hook: str, environ: dict[str, str], stdin: str = UPDATE) -> tuple[int, str, str]:
    done = subprocess.run(
        [FOLDER / hook], input=stdin.encode(), capture_output=True, env=environ, timeout=100, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("hook", HOOKS)
def test_gits_words_go_to_the_api_and_its_lines_come_back(hook: str) -> None:
    with api(OK + b"-----> Building\n       a  b\\n\tc\n\n" + f"{MARKER} 0\n".encode()) as served:
        code, said, errors = run(hook, environment(served.url), UPDATE * 2)
    assert (code, said, errors) == (0, "-----> Building\n       a  b\\n\tc\n\n", "")
    head, _, body = served.asked.decode().partition("\r\n\r\n")
    assert head.split("\r\n")[0] == f"POST /hooks/{hook} HTTP/1.0"
    assert "Authorization: Bearer t1ck3t" in head.split("\r\n")
    assert "X-Wherry-Quarantine: /repositories/1.git/objects/tmp_objdir-incoming-x" in head.split("\r\n")
    assert body == UPDATE * 2


def test_the_verdict_is_the_exit_code() -> None:
    for code in (0, 1):
        with api(OK + f"{MARKER} {code}\n".encode()) as served:
            assert run("pre-receive", environment(served.url))[:2] == (code, "")


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "0\n",
        "marker 0\n",
        f" {MARKER} 0\n",
        f"{MARKER} 0",
        f"{MARKER}0\n",
        f"{MARKER} 00\n",
        f"{MARKER} 0 \n",
        f"{MARKER} 2\n",
    ],
)
def test_without_the_markers_line_a_push_is_refused(lines: str) -> None:
    with api(OK + b"-----> Release ok\n" + lines.encode()) as served:
        code, said, _ = run("pre-receive", environment(served.url))
    assert code == 1
    assert " !     The platform stopped in the middle of its answer." in said
    assert " !     Nothing was changed. Push again: git push wherry main" in said


NO_ANSWERS = [
    b"",
    b"HTTP/1.0 401 Unauthorized\r\n\r\nm4rk3r 0\n",
    b"m4rk3r 0\n",
    b"HTTP/1.1 500 \x1b[31m\r\n\r\n",
]


@pytest.mark.parametrize("answer", NO_ANSWERS)
def test_an_answer_that_is_not_200_is_a_refusal(answer: bytes) -> None:
    with api(answer) as served:
        code, said, _ = run("pre-receive", environment(served.url))
    assert code == 1
    assert "The platform gave no answer to this push" in said
    assert "\x1b" not in said


def test_a_platform_that_is_down_is_a_refusal() -> None:
    code, said, errors = run("pre-receive", environment(f"http://127.0.0.1:{free_port()}/hooks"))
    assert (code, errors) == (1, "")
    assert (
        said == " !     The platform does not answer.\n !     Nothing was changed. Push again: git push wherry main\n"
    )


def test_a_platform_that_is_killed_in_its_answer_is_a_refusal_in_our_words_alone() -> None:
    def die(connection: socket.socket) -> None:
        connection.sendall(OK + b"-----> Building\n")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing is a reset

    with api(die) as served:
        code, said, errors = run("pre-receive", environment(served.url))
    assert (code, errors) == (1, "")
    assert "The platform" in said


def test_after_the_refs_moved_the_words_are_others() -> None:
    with api(OK) as served:
        _, said, _ = run("post-receive", environment(served.url))
    assert "The push is stored, and its release goes on without this terminal. Look: wherry releases" in said


@pytest.mark.parametrize("missing", ["WHERRY_HOOK_URL", "WHERRY_TICKET", "WHERRY_MARKER"])
def test_outside_a_push_of_ours_everything_is_refused(missing: str) -> None:
    environ = environment("http://127.0.0.1:1/hooks")
    del environ[missing]
    code, said, _ = run("pre-receive", environ)
    assert (code, said) == (1, " !     This repository takes pushes through the platform only: git push wherry main\n")


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:1/hooks", "http://127.0.0.1/hooks", "http://$(id):1/", "http://a:1/ x"]
)
def test_a_url_that_is_not_ours_is_refused(url: str) -> None:
    assert run("pre-receive", environment(url))[0] == 1


def test_a_line_is_shown_when_it_comes() -> None:
    shown = threading.Event()

    def slowly(connection: socket.socket) -> None:
        connection.sendall(OK + b"first\n")
        assert shown.wait(60)
        connection.sendall(f"{MARKER}\nsecond\n{MARKER} 0\n".encode())

    with api(slowly) as served:
        argv = [FOLDER / "pre-receive"]
        environ = environment(served.url)
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as hook:
            assert hook.stdin
            assert hook.stdout
            hook.stdin.write(UPDATE.encode())
            hook.stdin.close()
            assert hook.stdout.readline() == b"first\n"
            shown.set()
            assert hook.stdout.read() == b"second\n"
            assert hook.wait(60) == 0


def test_the_marker_alone_is_not_shown() -> None:
    with api(OK + f"{MARKER}\na\n{MARKER}\n{MARKER} 0\n".encode()) as served:
        assert run("pre-receive", environment(served.url))[:2] == (0, "a\n")


def test_the_ticket_is_in_no_argv() -> None:
    seen: list[bytes] = []

    def look(connection: socket.socket) -> None:
        for process in os.listdir("/proc"):
            try:
                with open(f"/proc/{process}/cmdline", "rb") as words:
                    seen.append(words.read())
            except OSError:
                continue
        connection.sendall(OK + f"{MARKER} 0\n".encode())

    with api(look) as served:
        assert run("pre-receive", environment(served.url))[0] == 0
    assert any(b"pre-receive" in words for words in seen)
    assert not any(b"t1ck3t" in words for words in seen)


def test_the_environment_cannot_change_the_script(tmp_path: object) -> None:
    evil = {"BASH_ENV": f"{tmp_path}/evil", "BASH_FUNC_printf%%": "() { exit 0; }", "SHELLOPTS": "xtrace", "IFS": "a"}
    with open(f"{tmp_path}/evil", "w") as script:
        script.write("exit 0\n")
    with api(OK + f"{MARKER} 1\n".encode()) as served:
        assert run("pre-receive", environment(served.url, **evil))[0] == 1


def test_b27_3000_refs_are_handed_on_whole() -> None:
    updates = "".join(f"{'0' * 40} {'a' * 40} refs/heads/branch-{number}\n" for number in range(3000))
    with api(OK + f"{MARKER} 1\n".encode()) as served:
        assert run("pre-receive", environment(served.url), updates)[0] == 1
    assert served.asked.decode().partition("\r\n\r\n")[2] == updates


def test_a_long_log_reaches_the_pusher_whole() -> None:
    log = b"".join(b"%06d %s\n" % (number, b"x" * 70) for number in range(20_000))
    with api(OK + log + f"{MARKER} 0\n".encode()) as served:
        code, said, _ = run("pre-receive", environment(served.url))
    assert (code, said.encode()) == (0, log)
