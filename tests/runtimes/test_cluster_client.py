"""The client's manners towards a server that is busy, gone, or forgetful."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from wherry.domain.errors import Conflict, NotFound, PlatformFault
from wherry.runtimes.cluster.client import Client, encoded
from wherry.runtimes.cluster.errors import Gone, Refused, Unreachable
from wherry.runtimes.cluster.kinds import DEPLOYMENT, POD

from tests.runtimes.scripted_api import Reply, ScriptedApi, json_reply, scripted_api


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with scripted_api() as found:
        yield found


def _status(code: int, reason: str = "", message: str = "the server's own words") -> Reply:
    return json_reply({"kind": "Status", "code": code, "reason": reason, "message": message}, code)


def test_a29_a_busy_server_is_waited_for_as_long_as_it_asks_and_the_user_is_told(
    api: ScriptedApi, tmp_path: Path
) -> None:
    replies = [Reply(429, b"slow down", {"Retry-After": "1"}), json_reply({"kind": "Pod"})]
    api.answer = lambda _: replies.pop(0)
    client, said = Client(api.kubeconfig(tmp_path)), list[str]()
    with client.telling(said.append):
        assert client.get(POD, "a", "b") == {"kind": "Pod"}
    assert said == ["waiting for the cluster, which is busy"]
    assert len(api.asked) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, Refused),
        (404, NotFound),
        (409, Conflict),
        (410, Gone),
        (422, Refused),
        (500, PlatformFault),
        (503, Unreachable),
    ],
)
def test_an_answer_that_is_no_success_is_an_error_with_the_servers_words(
    api: ScriptedApi, tmp_path: Path, status: int, error: type[Exception]
) -> None:
    api.answer = lambda _: _status(status)
    with pytest.raises(error, match="could not get the Pod b: the server's own words") as caught:
        Client(api.kubeconfig(tmp_path)).get(POD, "a", "b")
    assert type(caught.value) is error


def test_a28_a_watch_that_is_too_old_is_gone_as_a_status_and_inside_the_stream(
    api: ScriptedApi, tmp_path: Path
) -> None:
    event = {"type": "ADDED", "object": {"metadata": {"name": "b"}}}
    too_old = {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}
    client = Client(api.kubeconfig(tmp_path))
    api.answer = lambda _: _status(410, "Expired")
    with pytest.raises(Gone), client.watch(POD, "1", 5):
        pass
    stream = json.dumps(event) + "\n" + json.dumps(too_old) + "\n"
    api.answer = lambda _: Reply(200, stream.encode())
    with client.watch(POD, "1", 5) as events:
        assert next(events) == event
        with pytest.raises(Gone):
            next(events)


def test_a32_a_token_file_that_was_rotated_is_read_again(api: ScriptedApi, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("old")
    client = Client(api.kubeconfig(tmp_path, tokenFile="token"))
    client.get(POD, "a", "b")
    (tmp_path / "token").write_text("fresh")
    client.get(POD, "a", "b")
    assert [each.authorization for each in api.asked] == ["Bearer old", "Bearer fresh"]


def test_a32_credentials_that_are_refused_are_read_again_once(api: ScriptedApi, tmp_path: Path) -> None:
    api.answer = lambda _: _status(401)
    with pytest.raises(PlatformFault, match="does not know who we are"):
        Client(api.kubeconfig(tmp_path)).get(POD, "a", "b")
    assert len(api.asked) == 2


def test_a26_a_server_that_is_gone_is_not_stormed(api: ScriptedApi, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        tries: list[int] = []
        Thread(target=_hang_up, args=(server, tries), daemon=True).start()
        client = Client(replace(api, url=f"http://127.0.0.1:{server.getsockname()[1]}").kubeconfig(tmp_path))
        for _ in range(50):
            with pytest.raises(PlatformFault, match="does not answer"):
                client.get(POD, "a", "b")
    assert len(tries) <= 4  # in well under a second: the first, and its one repetition


def _hang_up(server: socket.socket, tries: list[int]) -> None:
    with suppress(OSError):
        while True:
            server.accept()[0].close()
            tries.append(1)


def test_a_list_is_read_page_by_page(api: ScriptedApi, tmp_path: Path) -> None:
    pages = {
        False: {"items": [{"n": 1}], "metadata": {"continue": "more", "resourceVersion": "7"}},
        True: {"items": [{"n": 2}], "metadata": {"resourceVersion": "7"}},
    }
    api.answer = lambda asked: json_reply(pages["continue=more" in asked.path])
    assert Client(api.kubeconfig(tmp_path)).list(DEPLOYMENT, labels="a=b") == ([{"n": 1}, {"n": 2}], "7")


@given(st.text())
def test_t21_what_is_sent_reads_the_same_as_json_and_as_yaml(text: str) -> None:
    sent = encoded({"value": text})
    assert json.loads(sent) == {"value": text}
    assert yaml.load(sent, yaml.CSafeLoader) == {"value": text}
