"""Webhooks of real changes to a real HTTPS receiver on this machine, which the platform is allowed to reach."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from wherry.api.announce import Announcements
from wherry.domain.log import APP, PLATFORM, Entry, LogLine
from wherry.domain.webhooks import MOST_DELIVERIES, MOST_FAILURES, pause
from wherry.drains.couriers import Couriers
from wherry.drains.posts import HttpsPost
from wherry.drains.states import StateKeeper
from wherry.flow.tell import TellEvents
from wherry.flow.webhook_news import EnqueueNews
from wherry.flow.webhook_send import SendNews
from wherry.flow.webhook_states import EnqueueStates
from wherry.wiring.parts import dialer

from tests.api.house import House, eventually, open_house
from tests.drains.receivers import HttpsReceiver, certificate, server_side

ALL = ["api:app", "api:build", "api:collaborator", "api:domain", "dyno", "api:formation", "api:release"]
_numbers = itertools.count(1)


class SetClock:
    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        return self.at


@dataclass
class Post:
    """`news` and `send` as the logs process has them, with a clock that the test sets."""

    house: House
    receiver: HttpsReceiver
    clock: SetClock
    news: EnqueueNews
    send: SendNews

    def take(self) -> dict[str, Any]:
        found = json.loads(self.receiver.take()[2])
        assert isinstance(found, dict)
        return found

    def run(self) -> None:
        """All that is due now."""
        self.news.run()
        for number, _ in self.send.waiting():
            while due := self.send.due(number):
                if not self.send.run(*due):
                    break

    def add(self, app: str, **asked: object) -> Any:
        body = {"url": f"https://localhost:{self.receiver.port}/in?a=b", "include": ALL, "level": "sync", **asked}
        made = self.house.call("POST", f"/apps/{app}/webhooks", body)
        assert made.status == 201, made.text
        return made

    def deliveries(self, app: str, query: str = "") -> list[dict[str, Any]]:
        newest = {"Range": "seq ..; order=desc,max=1000"}
        found: list[dict[str, Any]] = self.house.call(
            "GET", f"/apps/{app}/webhook-deliveries{query}", headers=newest
        ).json
        return found


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    pem = certificate(tmp_path_factory.mktemp("pem"))
    patch = pytest.MonkeyPatch()
    patch.setenv("SSL_CERT_FILE", str(pem))
    receiver = HttpsReceiver(server_side(pem), bytes)
    with open_house(tmp_path_factory.mktemp("house"), WHERRY_DRAIN_NETWORKS="127.0.0.0/8 ::1/128") as house:
        world, clock = house.world, SetClock()
        wording = Announcements(world.settings, world.ticket_key)
        send = SendNews(world.ledger, clock, wording, HttpsPost(dialer(world.settings)))
        yield Post(house, receiver, clock, EnqueueNews(world.ledger, clock, wording), send)
    receiver.close()
    patch.undo()


@pytest.fixture
def app(post: Post) -> str:
    name = f"told-{next(_numbers)}"
    post.house.create(name)
    return name


def test_each_change_is_told_once_in_order_signed_and_without_a_secret(post: Post, app: str) -> None:
    house = post.house
    made = post.add(app, secret="s3cret", authorization="Bearer me")
    assert made.headers["Heroku-Webhook-Secret"] == "s3cret"
    house.release(app)
    house.call("PATCH", f"/apps/{app}/formation", {"updates": [{"type": "web", "quantity": 2}]})
    house.call("PATCH", f"/apps/{app}", {"maintenance": True})
    house.call("POST", f"/apps/{app}/collaborators", {"user": "new@example.org"})
    house.call("POST", f"/apps/{app}/domains", {"hostname": f"www.{app}.example.org"})
    house.call("DELETE", f"/apps/{app}/domains/www.{app}.example.org")
    house.call("DELETE", f"/apps/{app}/dynos")
    post.run()
    path, headers, raw = post.receiver.take()
    assert (path, headers["Authorization"], headers["Content-Type"]) == ("/in?a=b", "Bearer me", "application/json")
    mac = hmac.digest(b"s3cret", raw, hashlib.sha256)
    assert headers["Heroku-Webhook-Hmac-SHA256"] == base64.b64encode(mac).decode()
    first = json.loads(raw)
    told = [first, *(post.take() for _ in range(7))]
    assert [(each["resource"], each["action"]) for each in told] == [
        ("release", "create"),
        ("release", "update"),
        ("formation", "update"),
        ("app", "update"),
        ("collaborator", "create"),
        ("domain", "create"),
        ("domain", "destroy"),
        ("dyno", "update"),
    ]
    assert (first["data"]["status"], first["data"]["version"], first["data"]["output_stream_url"]) == (
        "pending",
        1,
        None,
    )
    assert (told[1]["data"]["status"], told[2]["data"]["quantity"]) == ("succeeded", 2)
    assert (told[2]["previous_data"]["quantity"], told[3]["data"]["maintenance"]) == (1, True)
    assert (told[4]["data"]["user"]["email"], told[0]["actor"]["email"]) == ("new@example.org", "owner@example.org")
    assert "streams/logs" not in str(told)
    post.news.run()
    post.run()
    assert post.receiver.posts.empty()
    shown = post.deliveries(app)
    ids = [each["webhook_metadata"]["delivery"]["id"] for each in told]
    assert [each["id"] for each in reversed(shown)] == ids
    assert {(each["status"], each["num_attempts"], each["last_attempt"]["code"]) for each in shown} == {
        ("succeeded", 1, 204)
    }
    event = house.call("GET", f"/apps/{app}/webhook-events/{first['webhook_metadata']['event']['id']}").json
    assert (event["payload"]["resource"], event["include"]) == ("release", "api:release")
    assert len(house.call("GET", f"/apps/{app}/webhook-events").json) == 8
    everything = house.call("GET", f"/apps/{app}/webhooks").text + house.call("GET", f"/apps/{app}/events").text
    assert "s3cret" not in everything
    assert "Bearer me" not in everything


def test_a_build_is_told_from_its_beginning_to_its_end(post: Post, app: str) -> None:
    post.add(app, include=["api:build"])
    house, now = post.house, post.clock.now()
    with house.world.ledger.begin() as tx:
        found = tx.apps.by_name(app)
        tx.events.add(now, found.owner, app, "push", after={"build": 10**9})
    post.run()
    assert post.take()["data"]["name"] == str(10**9)  # of what is gone, what the event knows


STARTS, UP = "Starting process with command `serve`", "State changed from starting to up"
ENDS, CRASHES = "Process exited with status 3", "State changed from up to crashed"
AGAIN = "State changed from crashed to starting"


def test_what_processes_do_by_themselves_is_told_once_to_who_asked_and_no_app_can_pretend_it(
    post: Post, app: str
) -> None:
    house, logs, made = post.house, post.house.world.app_logs, post.add(app, include=["dyno"], secret="s3cret")
    post.add(app, include=["api:app"])
    house.release(app)
    app_id = post_app_id(post, app)

    def say(process: str, *texts: str, source: str = PLATFORM) -> None:
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        logs.append(app_id, [Entry(LogLine(at, source, process, text)) for text in texts])

    def follow() -> StateKeeper:
        found = StateKeeper(logs, EnqueueStates(house.world.ledger, post.clock, post.send.wording))
        found.refresh()
        return found

    say("web.1", CRASHES)  # before it was asked for
    keeper = follow()
    say("web.1", STARTS, UP, CRASHES, source=APP)
    say("run.4711", STARTS, CRASHES)
    say("web.1", STARTS, UP, ENDS, CRASHES, AGAIN, STARTS, UP)
    say(
        "worker.2",
        "Stopping all processes with SIGTERM",
        "Process exited with status 0",
        "State changed from up to down",
    )
    eventually(lambda: len(post.deliveries(app)) == 6)
    keeper.close()
    number = next(each for each, its_app in keeper.news.listeners().items() if its_app == app_id)
    logs.move(f"webhook-{number}", "1")  # as after a crash before it was noted
    keeper = follow()
    say("web.1", ENDS, CRASHES)
    eventually(lambda: len(post.deliveries(app)) == 7)
    post.run()
    _, headers, raw = post.receiver.take()
    mac = hmac.digest(b"s3cret", raw, hashlib.sha256)
    assert headers["Heroku-Webhook-Hmac-SHA256"] == base64.b64encode(mac).decode()
    told = [json.loads(raw), *(post.take() for _ in range(6))]
    assert post.receiver.posts.empty()
    said = [(each["action"], each["data"]["name"], each["data"]["state"], each["data"]["exit_status"]) for each in told]
    assert said == [
        ("create", "web.1", "starting", None),
        ("update", "web.1", "up", None),
        ("update", "web.1", "crashed", 3),
        ("update", "web.1", "starting", None),
        ("update", "web.1", "up", None),
        ("destroy", "worker.2", "down", 0),
        ("update", "web.1", "crashed", 3),
    ]
    lives = [each["data"]["life"] for each in told]
    assert len({*lives[:5], lives[6]}) == 1  # also told by two followers
    assert lives[5] != lives[0]
    crash = told[2]
    assert (crash["resource"], crash["webhook_metadata"]["event"]["include"]) == ("dyno", "dyno")
    assert crash["previous_data"] == {"state": "up"}
    assert {key: crash["data"][key] for key in ("command", "size", "type")} == {
        "command": "serve",
        "size": "basic",
        "type": "web",
    }
    assert crash["data"]["release"]["version"] == 1
    assert told[5]["data"]["release"] is None
    event = house.call("GET", f"/apps/{app}/webhook-events/{crash['webhook_metadata']['event']['id']}").json
    assert event["payload"]["data"]["state"] == "crashed"
    house.call("DELETE", f"/apps/{app}/webhooks/{made.json['id']}")
    keeper.refresh()
    assert logs.position(f"webhook-{number}") == ""
    keeper.close()


def test_b66_sync_is_tried_again_with_growing_pauses_and_later_news_waits(post: Post, app: str) -> None:
    post.add(app, include=["api:app"])
    for status in (500, 302, 204):
        post.receiver.answers.put(status)
    for on in (True, False):
        post.house.call("PATCH", f"/apps/{app}", {"maintenance": on})
    attempts = []
    for failures in (1, 2):
        post.run()
        post.run()
        attempts.append(post.take())
        assert post.receiver.posts.empty()
        waiting = post.deliveries(app)[-1]
        assert (waiting["status"], waiting["num_attempts"]) == ("retrying", failures)
        post.clock.at += pause(failures)
    post.run()
    attempts.append(post.take())
    assert [each["data"]["maintenance"] for each in attempts] == [True, True, True]
    assert len({each["webhook_metadata"]["delivery"]["id"] for each in attempts}) == 1
    assert len({each["webhook_metadata"]["attempt"]["id"] for each in attempts}) == 3
    assert len({each["webhook_metadata"]["attempt"]["sent_at"] for each in attempts}) > 1
    assert post.take()["data"]["maintenance"] is False
    assert [each["status"] for each in post.deliveries(app)] == ["succeeded", "succeeded"]


def test_b66_after_many_failures_it_is_off_says_why_and_comes_back_for_what_is_new(post: Post, app: str) -> None:
    made = post.add(app, include=["api:app"], level="notify").json
    for number in range(MOST_FAILURES + 2):
        post.house.call("PATCH", f"/apps/{app}", {"maintenance": number % 2 == 0})
    for failures in range(1, MOST_FAILURES + 1):
        post.receiver.answers.put(503)
        post.run()
        post.take()
        post.clock.at += pause(failures)
    post.run()
    assert post.receiver.posts.empty()
    path = f"/apps/{app}/webhooks/{made['id']}"
    shown = post.house.call("GET", path).json
    reason = f"{MOST_FAILURES} attempts in a row failed, the last one with HTTP 503"
    assert (shown["active"], shown["reason"]) == (False, reason)
    assert {each["status"] for each in post.deliveries(app)} == {"failed"}
    assert len(post.deliveries(app, "?eq[status]=failed")) == MOST_FAILURES + 2
    events = post.house.call("GET", f"/apps/{app}/events").json
    assert events[-1]["action"] == "webhook.off"
    world = post.house.world
    TellEvents(world.ledger, world.app_logs).run()
    lines = [kept.line.text for kept in world.app_logs.read(post_app_id(post, app), 5)]
    assert any(reason in line for line in lines)
    post.house.call("PATCH", f"/apps/{app}", {"maintenance": True})
    assert post.house.call("PATCH", path, {}).json["active"] is True
    post.house.call("PATCH", f"/apps/{app}", {"maintenance": False})
    post.run()
    assert post.take()["data"]["maintenance"] is False
    assert post.receiver.posts.empty()


def test_a_crash_between_sending_and_writing_it_down_sends_the_same_delivery_again(post: Post, app: str) -> None:
    post.add(app, include=["api:app"])
    post.house.call("PATCH", f"/apps/{app}", {"maintenance": True})
    post.news.run()
    number = post.send.waiting()[0][0]
    due = post.send.due(number)
    assert due
    post.send._attempt(*due)  # and here the power went
    post.run()
    one, other = post.take(), post.take()
    assert one["webhook_metadata"]["delivery"] == other["webhook_metadata"]["delivery"]
    assert [each["num_attempts"] for each in post.deliveries(app)] == [1]


def test_couriers_deliver_by_themselves_and_a_slow_receiver_holds_up_nobody_else(post: Post, app: str) -> None:
    """A49."""
    slow = replace(post.send.post, seconds=5.0)  # type: ignore[type-var]
    couriers = Couriers(replace(post.send, post=slow, clock=post.house.world.clock), post.house.world.clock)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        post.add(app, include=["api:app"], url=f"https://127.0.0.1:{silent.getsockname()[1]}/")
        post.add(app, include=["api:app"])
        for on in (True, False, True):
            post.house.call("PATCH", f"/apps/{app}", {"maintenance": on})
        post.news.run()
        couriers.refresh()
        assert [post.take()["data"]["maintenance"] for _ in range(3)] == [True, False, True]
        eventually(lambda: any(each["status"] == "retrying" for each in post.deliveries(app)))
        pause = couriers.refresh()
        assert pause is None or 0 < pause <= 2
        couriers.close()
    failed = [each for each in post.deliveries(app) if each["status"] == "retrying"]
    assert failed[0]["last_attempt"]["error_class"] == "timeout"


def test_one_that_lets_too_many_wait_is_switched_off(post: Post, app: str) -> None:
    made = post.add(app, include=["api:app"]).json
    now, ledger = post.clock.now(), post.house.world.ledger
    with ledger.begin() as tx:
        owner = tx.apps.by_name(app).owner
        for _ in range(MOST_DELIVERIES + 50):
            tx.events.add(now, owner, app, "app.maintenance", after={"maintenance": True})
    post.news.run()
    shown = post.house.call("GET", f"/apps/{app}/webhooks/{made['id']}").json
    assert (shown["active"], "deliveries wait" in shown["reason"]) == (False, True)
    post.run()
    assert post.receiver.posts.empty()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"url": "http://example.org/"}, "url: must begin with https://"),
        ({"url": "https://10.0.0.1/"}, "url: its host is in a private network"),
        ({"url": 7}, "url: must be a text"),
        ({"include": ["api:addon"]}, "api:addon: this platform has no such things"),
        ({"include": ["api:nothing"]}, "there is no 'api:nothing'"),
        ({"include": "api:app"}, "include: must be a list"),
        ({"level": "loud"}, "level: must be notify"),
        ({"secret": "a\nb"}, "secret: must be a text"),
        ({"authorization": "x\r\nHost: y"}, "authorization: must be a text"),
    ],
)
def test_what_is_no_webhook_is_refused_in_words(post: Post, app: str, wrong: dict[str, object], problem: str) -> None:
    good = {"url": "https://localhost:1/", "include": ["api:app"], "level": "sync"}
    refused = post.house.call("POST", f"/apps/{app}/webhooks", {**good, **wrong})
    assert refused.status == 422
    assert any(problem in each for each in refused.json["problems"]), refused.json
    assert post.house.call("GET", f"/apps/{app}/webhooks").json == []


def test_all_faults_are_named_at_once_and_the_eleventh_is_one_too_many(post: Post, app: str) -> None:
    refused = post.house.call("POST", f"/apps/{app}/webhooks", {"level": "loud", "secret": ""})
    assert [each.partition(":")[0] for each in refused.json["problems"]] == ["url", "include", "level", "secret"]
    for _ in range(10):
        post.add(app, include=["api:build"])
    body = {"url": "https://localhost:1/", "include": ["api:app"], "level": "sync"}
    assert post.house.call("POST", f"/apps/{app}/webhooks", body).status == 409


def test_a_destroyed_app_takes_its_webhooks_along(post: Post, app: str) -> None:
    post.add(app)
    post.house.call("PATCH", f"/apps/{app}", {"maintenance": True})
    post.news.run()
    assert post.house.call("DELETE", f"/apps/{app}").status == 200
    post.run()
    assert post.receiver.posts.empty()


def post_app_id(post: Post, app: str) -> int:
    with post.house.world.ledger.begin(read_only=True) as tx:
        return tx.apps.by_name(app).id
