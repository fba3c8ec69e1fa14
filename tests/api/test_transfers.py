"""/account/app-transfers: an app is offered, and taken or not."""

from __future__ import annotations

import itertools

import pytest

from tests.api.house import House

_numbers = itertools.count(1)
PATH = "/account/app-transfers"


@pytest.fixture
def app(house: House) -> str:
    """Of "owner"; "other" is its collaborator."""
    name = f"offered-{next(_numbers)}"
    house.create(name)
    shared = house.call("POST", f"/apps/{name}/collaborators", {"user": "other@example.org", "permissions": ["admin"]})
    assert shared.status == 201
    return name


def owner(house: House, app: str) -> str:
    return str(house.call("GET", f"/apps/{app}", by="admin").json["owner"]["email"])


def test_an_offer_waits_for_its_recipient_who_then_owns_the_app(house: House, app: str) -> None:
    recipient = house.call("GET", "/account", by="other").json["id"]
    made = house.call("POST", PATH, {"app": app, "recipient": recipient})
    assert (made.status, made.json["state"], made.json["recipient"]["email"]) == (201, "pending", "other@example.org")
    assert owner(house, app) == "owner@example.org"
    path = f"{PATH}/{made.json['id']}"
    assert house.call("PATCH", path, {"state": "accepted"}).status == 403
    assert house.call("DELETE", path, by="other").status == 403
    assert house.call("PATCH", path, {"state": "accepted"}, by="admin").status == 404
    assert [each["id"] for each in house.call("GET", PATH, by="other").json][-1] == made.json["id"]
    assert house.call("GET", f"{PATH}/{app}", by="other").json == house.call("GET", path).json
    assert house.call("PATCH", path, {"state": "gone"}, by="other").status == 422
    taken = house.call("PATCH", path, {"state": "accepted"}, by="other")
    assert (taken.status, taken.json["state"], owner(house, app)) == (200, "accepted", "other@example.org")
    roles = house.call("GET", f"/apps/{app}/collaborators").json
    assert [(each["user"]["email"], each["role"]) for each in roles] == [
        ("other@example.org", "owner"),
        ("owner@example.org", "collaborator"),
    ]
    for state in ("accepted", "declined"):
        assert house.call("PATCH", path, {"state": state}, by="other").status == 409
    assert house.call("DELETE", path).status == 409


def test_an_offer_is_declined_or_taken_back_and_nothing_changes(house: House, app: str) -> None:
    offer = {"app": app, "recipient": "other@example.org"}
    first, second = house.call("POST", PATH, offer).json, house.call("POST", PATH, offer).json
    assert house.call("GET", f"{PATH}/{first['id']}").status == 404  # the second took its place
    declined = house.call("PATCH", f"{PATH}/{second['id']}", {"state": "declined"}, by="other")
    assert declined.json["state"] == "declined"
    third = house.call("POST", PATH, offer).json
    assert house.call("DELETE", f"{PATH}/{app}").json["id"] == third["id"]
    assert owner(house, app) == "owner@example.org"


def test_an_offer_whose_ground_is_gone_cannot_be_taken(house: House, app: str) -> None:
    offer = {"app": app, "recipient": "other@example.org"}
    path = f"{PATH}/{house.call('POST', PATH, offer).json['id']}"
    house.call("DELETE", f"/apps/{app}/collaborators/other@example.org")
    assert house.call("PATCH", path, {"state": "accepted"}, by="other").status == 409
    house.call("POST", f"/apps/{app}/collaborators", {"user": "other@example.org"})
    house.call("DELETE", f"/apps/{app}", by="admin")
    assert house.call("GET", path).status == 404


def test_an_app_that_was_given_leaves_no_offer_behind(house: House, app: str) -> None:
    path = f"{PATH}/{house.call('POST', PATH, {'app': app, 'recipient': 'other@example.org'}).json['id']}"
    given = house.call("PATCH", f"/apps/{app}", {"owner": "other@example.org"}, by="admin")
    assert given.json["owner"]["email"] == "other@example.org"
    assert house.call("GET", path).status == 404
    assert [each["state"] for each in house.call("GET", PATH, by="other").json if each["app"]["name"] == app] == [
        "accepted"
    ]


def test_only_the_owner_offers_and_only_to_a_collaborator(house: House, app: str) -> None:
    offer = {"app": app, "recipient": "other@example.org"}
    assert house.call("POST", PATH, offer, by="other").status == 403
    nobody, stranger = (
        house.call("POST", PATH, {"app": app, "recipient": who}) for who in ("nobody@example.org", "admin@example.org")
    )
    assert (nobody.status, stranger.status) == (409, 409)
    assert nobody.json["message"] == stranger.json["message"]
    assert house.call("POST", PATH, {"app": app}).json["problems"] == ["recipient: must be given"]
    assert house.call("POST", PATH, {**offer, "app": "no-such-app"}).status == 404


def test_an_admin_of_the_platform_gives_an_app_at_once(house: House, app: str) -> None:
    made = house.call("POST", PATH, {"app": app, "recipient": "other@example.org"}, by="admin")
    assert (made.json["state"], owner(house, app)) == ("accepted", "other@example.org")
