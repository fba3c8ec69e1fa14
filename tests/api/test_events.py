"""The history of changes over the API."""

from __future__ import annotations

import itertools

import pytest

from tests.api.house import House

_numbers = itertools.count(1)


@pytest.fixture
def app(house: House) -> str:
    name = f"history-{next(_numbers)}"
    house.create(name)
    return name


def test_an_apps_events_say_who_did_what_from_where(house: House, app: str) -> None:
    changed = house.call("PATCH", f"/apps/{app}/config-vars", {"TOKEN": "very-secret"})
    newest = house.call("GET", f"/apps/{app}/events", headers={"Range": "number ..; max=1, order=desc"})
    event = newest.json[0]
    assert (event["action"], event["actor"], event["app"]["name"]) == (
        "config.change",
        {"email": "owner@example.org"},
        app,
    )
    assert event["after"] == {"set": ["TOKEN"], "unset": []}
    assert event["origin"] == f"api 127.0.0.1 request {changed.headers['Request-Id']}"
    assert "very-secret" not in newest.text
    assert newest.status == 206


def test_events_come_in_pages_of_this_app_only(house: House, app: str) -> None:
    for number in range(4):
        house.call("PATCH", f"/apps/{app}/config-vars", {"A": str(number)})
    house.create(f"{app}-other")
    path, seen = f"/apps/{app}/events", []
    answer = house.call("GET", path, headers={"Range": "number ..; max=2"})
    while True:
        seen += answer.json
        if not (following := answer.headers.get("Next-Range")):
            break
        answer = house.call("GET", path, headers={"Range": following})
    assert [each["action"] for each in seen] == ["app.create", *["config.change"] * 4]
    assert seen == house.call("GET", path).json
    assert house.call("GET", path, headers={"Range": "number x.."}).status == 416


def test_t36_the_admin_verifies_the_whole_history(house: House, app: str) -> None:
    found = house.call("GET", "/events/chain", by="admin").json
    assert (found["intact"], found["broken"]) == (True, None)
    assert found["events"] >= found["heads"] > 0
    house.call("PATCH", f"/apps/{app}/config-vars", {"A": "1"})
    again = house.call("GET", f"/events/chain?head={found['head']}", by="admin").json
    assert (again["intact"], again["events"]) == (True, found["events"] + 1)
    number = found["head"].partition(":")[0]
    forged = house.call("GET", f"/events/chain?head={number}:{'0' * 64}", by="admin").json
    assert (forged["intact"], forged["broken"]["number"]) == (False, int(number))
    assert house.call("GET", "/events/chain?head=x", by="admin").status == 422
    whole = house.call("GET", "/events", by="admin", headers={"Range": "number ..; max=1, order=desc"}).json
    assert f"{whole[0]['number']}:{whole[0]['hash']}" == again["head"]
