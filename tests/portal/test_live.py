"""Logs as they are written."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from wherry.domain.errors import PlatformFault
from wherry.domain.model import App, BuildStatus, ReleaseStatus
from wherry.flow.lanes import build_stream
from wherry.portal import live

from tests.portal.harbour import Harbour, Visitor


@pytest.fixture
def app(harbour: Harbour) -> App:
    return harbour.app(harbour.user())


@pytest.fixture
def visitor(harbour: Harbour, app: App) -> Visitor:
    return harbour.client(harbour.user())


def events(answer: Any) -> Iterator[dict[str, str]]:
    """Each event's fields; a comment is {"": its text}."""
    for block in b"".join(answer.response).decode().split("\n\n"):
        if block:
            yield dict(line.partition(": ")[::2] for line in block.split("\n"))


def texts(answer: Any) -> list[str]:
    return [json.loads(each["data"])["text"] for each in events(answer) if "id" in each]


def test_ended_log_is_told_whole_and_ends_with_its_outcome(harbour: Harbour, app: App, visitor: Visitor) -> None:
    build = harbour.build(app, BuildStatus.FAILED, log=("one", "two"))
    answer = visitor.get(f"/dashboard/apps/shop/builds/{build.id}/events")
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    told = list(events(answer))
    assert [each["id"] for each in told if "id" in each] == ["1", "2"]
    assert told[-1] == {"event": "end", "data": '"failed"'}


def test_lines_arrive_while_a_build_runs_until_it_ends(harbour: Harbour, app: App, visitor: Visitor) -> None:
    build = harbour.build(app, BuildStatus.RUNNING, log=("one",))
    answer = visitor.get(f"/dashboard/apps/shop/builds/{build.id}/events")
    parts = iter(answer.response)
    assert next(parts) == live.RETRY.encode()
    assert b'"one"' in next(parts)
    harbour.logs.append(build_stream(build.id), "two")
    assert b'"two"' in next(parts)
    harbour.logs.close(build_stream(build.id), "succeeded")
    assert next(parts).startswith(b"event: end")
    answer.close()


def test_reader_who_comes_back_gets_only_what_was_missed(harbour: Harbour, app: App, visitor: Visitor) -> None:
    release = harbour.release(app, ReleaseStatus.FAILED, log=("one", "two", "three"))
    path = f"/dashboard/apps/shop/releases/{release.number}/events"
    assert texts(visitor.get(f"{path}?after=1")) == ["two", "three"]
    assert texts(visitor.get(f"{path}?after=1", headers={"Last-Event-ID": "2"})) == ["three"]
    assert texts(visitor.get(path, headers={"Last-Event-ID": "\N{SUPERSCRIPT TWO}x"})) == ["one", "two", "three"]


def test_build_that_ended_without_closing_its_log_ends_the_stream(
    harbour: Harbour, app: App, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = harbour.build(app, BuildStatus.RUNNING, log=())
    follow = harbour.logs.follow
    monkeypatch.setattr(harbour.logs, "follow", lambda stream: follow(stream, idle=0.01))
    answer = visitor.get(f"/dashboard/apps/shop/builds/{build.id}/events")
    parts = iter(answer.response)
    assert [next(parts), next(parts)] == [live.RETRY.encode(), live.HEARTBEAT.encode()]
    with harbour.ledger.begin() as tx:
        tx.builds.finish(replace(build, status=BuildStatus.CANCELLED, finished_at=harbour.clock.now()))
    assert [part for part in parts if b"idle" not in part] == [b'event: end\ndata: "cancelled"\n\n']
    answer.close()


def test_app_log_begins_after_the_line_that_the_page_has(harbour: Harbour, app: App, visitor: Visitor) -> None:
    harbour.write(app.id, "web.1", b"old")
    harbour.write(app.id, "web.1", b"new")
    answer = visitor.get("/dashboard/apps/shop/logs/events?after=1")
    parts = iter(answer.response)
    next(parts)
    told = next(parts)
    assert told.startswith(b"id: 2\n")
    assert b'"text": "new"' in told
    assert next(parts) == live.HEARTBEAT.encode()
    answer.close()


def test_app_log_can_be_of_one_process(harbour: Harbour, app: App, visitor: Visitor) -> None:
    harbour.write(app.id, "web.1", b"page")
    harbour.write(app.id, "worker.1", b"job")
    answer = visitor.get("/dashboard/apps/shop/logs/events?process=worker.1")
    parts = iter(answer.response)
    next(parts)
    assert b'"text": "job"' in next(parts)
    answer.close()


def test_t30_hostile_line_cannot_forge_an_event(harbour: Harbour, app: App, visitor: Visitor) -> None:
    line = "x\n\nevent: end\ndata: \u2028 </script>\r"
    harbour.write(app.id, "web.1", line.encode())
    answer = visitor.get("/dashboard/apps/shop/logs/events")
    parts = iter(answer.response)
    next(parts)
    block = next(parts).decode()
    assert block.count("\n") == 3
    assert block.isascii()
    assert json.loads(block.split("data: ", 1)[1])["text"] == "x\\n\\nevent: end\\ndata: \\u2028 </script>\\r"
    answer.close()


def test_app_that_is_destroyed_ends_its_readers(harbour: Harbour, app: App, visitor: Visitor) -> None:
    answer = visitor.get("/dashboard/apps/shop/logs/events")
    parts = iter(answer.response)
    next(parts)
    with harbour.ledger.begin() as tx:
        tx.apps.remove(app.id, harbour.clock.now())
    assert next(parts) == b'event: end\ndata: "gone"\n\n'
    answer.close()


def test_log_that_cannot_be_read_is_told(
    harbour: Harbour, app: App, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def follow(*_: object) -> Iterator[None]:
        yield None
        raise PlatformFault("the disk does not answer")

    monkeypatch.setattr(harbour.app_logs, "follow", follow)
    answer = visitor.get("/dashboard/apps/shop/logs/events")
    parts = iter(answer.response)
    next(parts)
    next(parts)
    assert next(parts) == b'event: trouble\ndata: "the disk does not answer"\n\n'
    assert list(parts) == []
    answer.close()


def test_reader_who_leaves_ends_the_follower(
    harbour: Harbour, app: App, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = threading.Event()

    def logs(*_: object, **__: object) -> Iterator[None]:
        try:
            while True:
                yield None
        finally:
            left.set()

    monkeypatch.setattr(harbour.app_logs, "follow", logs)
    answer = visitor.get("/dashboard/apps/shop/logs/events")
    parts = iter(answer.response)
    next(parts)
    next(parts)
    answer.close()
    assert left.is_set()


def test_too_many_readers_are_told_to_come_later_and_leaving_makes_room(
    harbour: Harbour, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_STREAMS", 2)
    visitor = harbour.client(harbour.user())
    path = "/dashboard/apps/shop/logs/events"
    open_ones = [visitor.get(path), visitor.get(path)]
    refused = visitor.get(path)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
    assert visitor.get("/dashboard").status_code == 200
    open_ones[0].close()
    again = visitor.get(path)
    assert again.status_code == 200
    for answer in (again, open_ones[1]):
        answer.close()


def test_stranger_gets_no_stream_and_no_redirect_to_a_page(harbour: Harbour, app: App) -> None:
    answer = harbour.client().get("/dashboard/apps/shop/logs/events", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 401
