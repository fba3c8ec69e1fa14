"""The hooks' answers: only for a push under way, and whatever happens they end with the verdict."""

from __future__ import annotations

import itertools

import pytest
from wherry.api.hooks import MOST_BYTES
from wherry.api.tickets import PushTicket, Tickets
from wherry.domain.secret import Secret

from tests.api.house import Answer, House

MARKER = "c0ffee"
_numbers = itertools.count(1)


@pytest.fixture
def app_id(house: House) -> int:
    return house.create(f"hooked-{next(_numbers)}")


def ticket(house: House, app_id: int, email: str = "owner@example.org", key: Secret | None = None) -> str:
    return Tickets(key or house.world.ticket_key).for_push(PushTicket(app_id, email, MARKER, "test"))


def ask(house: House, ticket: str, body: bytes, hook: str = "pre-receive", **headers: str) -> Answer:
    sent = {"Authorization": f"Bearer {ticket}", "Content-Type": "text/plain", **headers}
    return house.call("POST", f"/hooks/{hook}", by=None, raw=body, headers=sent)


@pytest.mark.parametrize("hook", ["pre-receive", "post-receive"])
def test_a_hook_without_a_ticket_of_ours_is_refused(house: House, app_id: int, hook: str) -> None:
    forged = ticket(house, app_id, key=Secret("another key"))
    for wrong in ("", "x", forged, ticket(house, app_id)[:-2], house.token("admin")):
        answer = ask(house, wrong, b"", hook)
        assert answer.status == 401
        assert MARKER not in answer.text


def test_the_last_line_is_the_marker_and_the_code(house: House, app_id: int) -> None:
    tag = b"0" * 40 + b" " + b"1" * 40 + b" refs/tags/v1\n"
    answer = ask(house, ticket(house, app_id), tag)
    assert (answer.status, answer.text) == (200, f"{MARKER} 0\n")
    assert ask(house, ticket(house, app_id), tag, "post-receive").text == f"{MARKER} 0\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"nonsense\n", "not a ref update"),
        (b"1" * 40 + b" " + b"0" * 40 + b" refs/heads/main\n", "cannot be deleted"),
        (b"".join(b"0" * 40 + b" " + b"1" * 40 + b" refs/heads/b%d\n" % n for n in range(101)), "the most is 100"),
        pytest.param(b"0" * (MOST_BYTES + 1), "more than 100 refs", id="16 MiB"),
        (b"0" * 40 + b" " + b"1" * 40 + b" refs/heads/\x1b[2J\xff\n", "\\x1b[2J"),
    ],
)
def test_what_git_would_not_say_or_may_not_push_is_told_to_the_pusher(
    house: House, app_id: int, body: bytes, said: str
) -> None:
    answer = ask(house, ticket(house, app_id), body)
    assert answer.status == 200
    assert said in answer.text
    assert "\x1b" not in answer.text
    refused = "\\x1b" not in said
    assert answer.text.endswith(f"{MARKER} {int(refused)}\n")


def test_a_commit_that_is_not_there_is_refused_and_no_quarantine_of_others_is_read(house: House, app_id: int) -> None:
    body = b"0" * 40 + b" " + b"1" * 40 + b" refs/heads/main\n"
    for quarantine in ("", "/etc", "relative"):
        headers = {"X-Wherry-Quarantine": quarantine} if quarantine else {}
        answer = ask(house, ticket(house, app_id), body, **headers)
        assert answer.text.endswith(f"{MARKER} 1\n"), answer.text


def test_a_destroyed_app_and_a_stranger_end_with_a_refusal(house: House, app_id: int) -> None:
    tag = b"0" * 40 + b" " + b"1" * 40 + b" refs/tags/v1\n"
    for email in ("other@example.org", "nobody@example.org"):
        assert ask(house, ticket(house, app_id, email), tag).text.endswith(f"{MARKER} 1\n")
    with house.world.ledger.begin() as tx:
        name = tx.apps.by_id(app_id).name
    assert house.call("DELETE", f"/apps/{name}").status == 200
    assert ask(house, ticket(house, app_id), tag).text.endswith(f"{MARKER} 1\n")


def test_what_nobody_foresaw_refuses_the_push_under_an_id(
    house: House, app_id: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("wherry.flow.push.AcceptPush.run", broken)
    answer = ask(house, ticket(house, app_id), b"0" * 40 + b" " + b"1" * 40 + b" refs/tags/v1\n")
    assert answer.text.endswith(f"{MARKER} 1\n")
    assert "secret detail" not in answer.text
    assert answer.headers["Request-Id"] in answer.text
    assert "secret detail" in caplog.text
