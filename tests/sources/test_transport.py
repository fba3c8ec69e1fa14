"""The HTTP door to git: what it serves, what it refuses, and what it does when a client misbehaves."""

from __future__ import annotations

import gzip
import http.client
import io
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from wherry.domain.errors import PlatformFault
from wherry.sources import transport
from wherry.sources.repositories import Repositories
from wherry.sources.transport import GitRequest, GitTransport, Service, service_of

from tests.sources.door import Door, Question
from tests.sources.looks import assert_soon, every_ref, leftovers, noise
from tests.sources.workshop import Workshop, clean_environment

RECEIVE = "application/x-git-receive-pack-request"
FETCH = "application/x-git-upload-pack-request"


def ask(door: Door, method: str, path: str, content: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", door.http.server_port, timeout=30)
    try:
        connection.request(method, path, content, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.IncompleteRead as cut:
        return answer.status, cut.partial
    finally:
        connection.close()


def push_body(workshop: Workshop, commit: str, ref: str = "refs/heads/main") -> bytes:
    pack = workshop.run("pack-objects", "--stdout", "--revs", stdin=commit.encode() + b"\n", check=True).stdout
    command = f"{'0' * 40} {commit} {ref}\0report-status side-band-64k object-format=sha1".encode()
    return b"%04x%s0000%s" % (len(command) + 4, command, pack)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "info/refs", 403),
        ("GET", "info/refs?service=git-upload-archive", 403),
        ("GET", "info/refs?service=git-upload-pack&x=y", 403),
        ("GET", "info/refs?x=y&service=git-receive-pack", 403),
        ("POST", "info/refs?service=git-upload-pack", 405),
        ("PUT", "git-receive-pack", 405),
        ("GET", "git-receive-pack", 405),
        ("GET", "HEAD", 404),
        ("GET", "config", 404),
        ("GET", "objects/info/packs", 404),
        ("GET", "objects/../config", 404),
        ("GET", "../2.git/info/refs?service=git-upload-pack", 404),
        ("POST", "git-upload-archive", 404),
        ("GET", "", 404),
    ],
)
def test_b88_nothing_but_the_smart_protocol_is_served(door: Door, method: str, path: str, status: int) -> None:
    answered, said = ask(door, method, f"/1.git/{path}")
    assert answered == status
    assert len(said) < 200


def test_b88_the_wrong_content_type_is_415(door: Door) -> None:
    for kind in ("text/plain", FETCH, ""):
        assert ask(door, "POST", "/1.git/git-receive-pack", b"0000", Content_Type=kind)[0] == 415


def test_b88_an_unknown_encoding_is_415(door: Door) -> None:
    answered, _ = ask(door, "POST", "/1.git/git-receive-pack", b"0", Content_Type=RECEIVE, Content_Encoding="br")
    assert answered == 415


def test_an_app_without_a_repository_is_404(door: Door) -> None:
    assert ask(door, "GET", "/7.git/info/refs?service=git-upload-pack")[0] == 404


def test_what_a_request_wants_is_told_without_serving_it() -> None:
    assert service_of("info/refs", "service=git-receive-pack") is Service.PUSH
    assert service_of("info/refs", "service=git-upload-pack") is Service.FETCH
    assert service_of("git-receive-pack", "") is Service.PUSH
    assert service_of("git-upload-pack", "service=git-receive-pack") is Service.FETCH
    for path, query in (("info/refs", ""), ("info/refs", "git-receive-pack"), ("HEAD", ""), ("info/refs/", "")):
        assert service_of(path, query) is None


def test_the_answer_may_not_be_kept_by_caches(door: Door) -> None:
    request = GitRequest(1, "GET", "info/refs", "service=git-upload-pack")
    answer = door.transport.serve(request)
    assert answer.status == 200
    assert dict(answer.headers)["Content-Type"] == "application/x-git-upload-pack-advertisement"
    assert "no-cache" in dict(answer.headers)["Cache-Control"]
    assert b"".join(answer.body).startswith(b"001e# service=git-upload-pack\n0000")
    answer.close()


@pytest.mark.parametrize(("said", "spoken"), [("version=2", True), ("version=2:x=y", False), ("version=9\n", False)])
def test_only_a_well_formed_protocol_version_reaches_git(door: Door, said: str, spoken: bool) -> None:
    answer = door.transport.serve(GitRequest(1, "GET", "info/refs", "service=git-upload-pack", protocol=said))
    assert (b"000eversion 2\n" in b"".join(answer.body)) is spoken
    answer.close()


def test_gzip_and_chunked_bodies_are_understood(door: Door, workshop: Workshop) -> None:
    commit = workshop.files({"a": noise(50_000)})
    packed = gzip.compress(push_body(workshop, commit))
    pieces = (packed[start : start + 1000] for start in range(0, len(packed), 1000))
    connection = http.client.HTTPConnection("127.0.0.1", door.http.server_port, timeout=30)
    headers = {"Content-Type": RECEIVE, "Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
    connection.request("POST", "/1.git/git-receive-pack", pieces, headers, encode_chunked=True)
    assert b"ok refs/heads/main" in connection.getresponse().read()
    connection.close()
    assert door.repositories.head(1, "main") == commit


def test_b88_a_gzip_bomb_is_cut(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MOST_FETCH_REQUEST", 1 << 20)
    bomb = gzip.compress(bytes(64 << 20))
    answered, said = ask(door, "POST", "/1.git/git-upload-pack", bomb, Content_Type=FETCH, Content_Encoding="gzip")
    assert (answered, said) == (200, b"")
    assert_free(door.transport)


@pytest.mark.parametrize(
    "content",
    [b"", b"zzzz", b"0000", b"0001", b"ffff" + b"x" * 10, b"0008abcd", noise(5000), b"00"],
    ids=["empty", "no-length", "flush", "delimiter", "short", "nonsense", "noise", "half"],
)
def test_b88_bodies_that_are_no_packets_store_nothing(door: Door, content: bytes) -> None:
    ask(door, "POST", "/1.git/git-receive-pack", content, Content_Type=RECEIVE)
    ask(door, "POST", "/1.git/git-upload-pack", content, Content_Type=FETCH)
    assert every_ref(door.repositories) == []
    assert_soon(lambda: leftovers(door.repositories) == [])
    assert_free(door.transport)


@pytest.mark.parametrize("damage", ["truncated", "checksum", "inside"])
def test_b39_a_damaged_pack_stores_nothing(door: Door, workshop: Workshop, damage: str) -> None:
    whole = push_body(workshop, workshop.files({"a": noise(100_000)}))
    damaged = {
        "truncated": whole[:-30_000],
        "checksum": whole[:-1] + bytes([whole[-1] ^ 1]),
        "inside": whole[:50_000] + b"\0\0\0\0" + whole[50_004:],
    }[damage]
    answered, said = ask(door, "POST", "/1.git/git-receive-pack", damaged, Content_Type=RECEIVE)
    assert answered == 200
    assert b"unpack index-pack abnormal exit" in said
    assert every_ref(door.repositories) == []
    assert_soon(lambda: leftovers(door.repositories) == [])


@pytest.mark.parametrize(
    "ref", ["HEAD", "refs/heads/../x", "refs/heads/a..b", "main", "refs/heads/x.lock", "refs/heads/"]
)
def test_b20_refs_that_no_git_client_would_send_are_refused(door: Door, workshop: Workshop, ref: str) -> None:
    content = push_body(workshop, workshop.files({"a": b"a"}), ref)
    ask(door, "POST", "/1.git/git-receive-pack", content, Content_Type=RECEIVE)
    assert every_ref(door.repositories) == []


def test_more_exchanges_than_allowed_are_asked_to_come_again(repositories: Repositories) -> None:
    one = GitTransport(repositories, most=1)
    request = GitRequest(1, "GET", "info/refs", "service=git-upload-pack")
    first = one.serve(request)
    assert (one.serve(request).status, dict(one.serve(request).headers)["Retry-After"]) == (503, "5")
    first.close()
    second = one.serve(request)
    assert second.status == 200
    second.close()
    second.close()
    assert_free(one, 1)


def test_a21_a_disk_that_is_nearly_full_takes_no_push_and_says_so(
    door: Door, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.files({"a": b"a"})
    monkeypatch.setattr(transport, "LOW_WATER", 1 << 60)
    code, said = workshop.push(door.repository())
    assert code != 0
    assert "remote: The platform's disk is nearly full, so it takes no pushes now. Tell its operator." in said
    assert workshop.run("ls-remote", door.repository()).returncode == 0


def test_a_push_without_a_ticket_for_its_hooks_is_our_fault(repositories: Repositories) -> None:
    asked = GitTransport(repositories, most=1)
    with pytest.raises(PlatformFault, match="without the ticket"):
        asked.serve(GitRequest(1, "POST", "git-receive-pack", content_type=RECEIVE))
    assert_free(asked, 1)


def test_a_hook_that_cannot_run_stops_every_push(tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-receive").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(PlatformFault, match="not there or not executable"):
        Repositories(tmp_path / "sources", hooks).create(1)


def test_the_environment_of_the_server_does_not_reach_git(
    door: Door, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_TRACE", "GIT_OBJECT_DIRECTORY", "BASH_ENV", "GIT_CONFIG_PARAMETERS", "LD_PRELOAD_X"):
        monkeypatch.setenv(name, "/nonexistent")
    commit = workshop.files({"a": b"a"})
    assert workshop.push(door.repository())[0] == 0
    assert door.repositories.head(1, "main") == commit


def test_lines_of_a_hook_reach_the_pusher_as_they_are_said(door: Door, workshop: Workshop) -> None:
    go_on = threading.Event()

    def slowly(question: Question) -> Iterator[str | int]:
        yield "-----> first"
        assert go_on.wait(60)
        yield "-----> second"
        yield 0

    door.answer = slowly
    workshop.files({"a": b"a"})
    argv = workshop.argv("push", door.repository(), "main")
    with subprocess.Popen(argv, stderr=subprocess.PIPE, env=clean_environment()) as push:
        assert push.stderr
        for line in push.stderr:
            if b"-----> first" in line:
                break
        go_on.set()
        assert b"-----> second" in push.stderr.read()


def test_a_client_that_goes_away_in_its_upload_leaves_nothing(door: Door, workshop: Workshop) -> None:
    content = push_body(workshop, workshop.files({"a": noise(3_000_000)}))
    with socket.create_connection(("127.0.0.1", door.http.server_port)) as connection:
        head = f"POST /1.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Type: {RECEIVE}\r\n"
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content[:2_000_000])
        assert_soon(lambda: list(door.repositories.path(1).glob("objects/tmp_objdir-*")) != [])
    assert_soon(lambda: door.repositories.mend(1) and leftovers(door.repositories) == [])
    assert every_ref(door.repositories) == []
    assert door.asked == []
    assert_free(door.transport)


def test_a_client_that_goes_away_while_its_app_builds_changes_nothing(door: Door, workshop: Workshop) -> None:
    building, built = threading.Event(), threading.Event()

    def build(question: Question) -> Iterator[str | int]:
        building.set()
        yield "-----> Building"
        assert built.wait(60)
        yield from ("line" for _ in range(1000))
        yield 0

    door.answer = build
    commit = workshop.files({"a": b"a"})
    push = subprocess.Popen(workshop.argv("push", "-q", door.repository(), "main"), env=clean_environment())
    assert building.wait(60)
    push.kill()
    push.wait()
    built.set()
    assert_soon(lambda: door.repositories.head(1, "main") == commit)
    assert_soon(lambda: [question.hook for question in door.asked] == ["pre-receive", "post-receive"])
    assert_free(door.transport)


def test_a_client_that_goes_away_in_a_fetch_ends_git(door: Door, workshop: Workshop) -> None:
    commit = workshop.files({f"{n}": noise(1_000_000) for n in range(12)})
    assert workshop.push(door.repository())[0] == 0
    content = f"0032want {commit}\n00000009done\n".encode()
    answer = door.transport.serve(
        GitRequest(1, "POST", "git-upload-pack", content_type=FETCH, body=io.BytesIO(content))
    )
    assert next(iter(answer.body))
    answer.close()
    assert_free(door.transport)
    assert answer.exchange is not None
    assert answer.exchange.ended


def test_a_silent_git_is_stopped(door: Door, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    from wherry.sources import exchange

    monkeypatch.setattr(exchange, "IDLE_SECONDS", 0.5)
    release = threading.Event()

    def stuck(question: Question) -> Iterator[str | int]:
        release.wait(60)
        yield 0

    door.answer = stuck
    workshop.files({"a": b"a"})
    assert workshop.push(door.repository())[0] != 0
    release.set()
    assert_free(door.transport)
    assert every_ref(door.repositories) == []


def assert_free(asked: GitTransport, most: int = 16) -> None:
    """Every exchange has been given back, and none twice."""
    assert_soon(lambda: asked._free._value == most)
