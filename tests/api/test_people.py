"""Accounts, collaborators and tokens: who comes in, what they may, how it ends."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from wherry.api import create_api
from wherry.flow.attempts import FREE, Attempts

from tests.api.house import House

_numbers = itertools.count(1)


@pytest.fixture
def app(house: House) -> str:
    name = f"shared-{next(_numbers)}"
    house.create(name)
    return name


@pytest.fixture
def new() -> str:
    return f"new-{next(_numbers)}@example.org"


def enter(house: House, url: str) -> Any:
    """Uses a login link up, as the command line does."""
    grant = {"type": "authorization_code", "code": url.partition("?token=")[2]}
    return house.call("POST", "/oauth/tokens", {"grant": grant}, by=None)


def keep(house: House, name: str, token: str) -> str:
    house.users[name] = (house.user("owner"), token)
    return name


def actions(house: House, path: str, by: str = "admin") -> list[str]:
    headers = {"Range": "number ..; max=200, order=desc"}
    return [each["action"] for each in house.call("GET", path, by=by, headers=headers).json]


def test_t04_an_invited_person_comes_in_once_by_a_link_that_nobody_sees_again(house: House, app: str, new: str) -> None:
    made = house.call("POST", f"/apps/{app}/collaborators", {"user": new, "permissions": ["view"]})
    assert made.status == 201, made.text
    assert made.json["login_url"].startswith(f"{house.url}/login?token=")
    secret = made.json["login_url"].partition("=")[2]
    for path, by in ((f"/apps/{app}/collaborators", "owner"), ("/users", "admin"), ("/events", "admin")):
        assert secret not in house.call("GET", path, by=by).text
    assert house.call("GET", "/account", by=None, headers={"Authorization": f"Bearer {secret}"}).status == 401

    entered = enter(house, made.json["login_url"])
    assert entered.status == 201
    guest = keep(house, new, entered.json["access_token"]["token"])
    assert house.call("GET", "/account", by=guest).json["email"] == new
    assert [each["name"] for each in house.call("GET", "/apps", by=guest).json] == [app]
    assert house.call("GET", f"/apps/{app}/config-vars", by=guest).status == 403
    assert enter(house, made.json["login_url"]).status == 401


def test_collaborators_are_listed_changed_and_removed_with_events(house: House, app: str) -> None:
    path = f"/apps/{app}/collaborators"
    made = house.call("POST", path, {"user": "Other@example.org"})
    assert [each["name"] for each in made.json["permissions"]] == ["view", "operate", "deploy"]
    assert made.json["login_url"] is None
    listed = house.call("GET", path, by="other").json
    assert [(each["user"]["email"], each["role"]) for each in listed] == [
        ("owner@example.org", "owner"),
        ("other@example.org", "collaborator"),
    ]
    changed = house.call("PATCH", f"{path}/other@example.org", {"permissions": ["manage"]})
    assert [each["name"] for each in changed.json["permissions"]] == ["view", "admin"]
    assert house.call("PATCH", f"/apps/{app}", {"name": f"{app}-x"}, by="other").status == 200
    path = f"/apps/{app}-x/collaborators"
    assert house.call("GET", f"{path}/{made.json['id']}").json["user"]["email"] == "other@example.org"
    assert house.call("DELETE", f"{path}/{made.json['user']['id']}").status == 200
    assert house.call("GET", path, by="other").status == 404
    assert house.call("DELETE", f"{path}/other@example.org").status == 404
    seen = actions(house, f"/apps/{app}-x/events", "owner")
    assert [each for each in seen if each.startswith("coll")] == [
        "collaborator.remove",
        "collaborator.change",
        "collaborator.add",
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"user": ""}, 422),
        ({"user": "no address"}, 422),
        ({"user": "a@b\n"}, 422),
        ({"user": "a@b..c"}, 422),
        ({"user": "a" * 300 + "@b"}, 422),
        ({"user": ["a@b"]}, 422),
        ({"user": "bad@example.org", "permissions": []}, 422),
        ({"user": "bad@example.org", "permissions": ["root"]}, 422),
        ({"user": "bad@example.org", "permissions": "view"}, 422),
        ({"user": "bad@example.org", "role": "owner"}, 422),
        ({"user": "owner@example.org"}, 409),
    ],
)
def test_a_bad_invitation_is_refused_and_makes_no_account(house: House, app: str, body: Any, status: int) -> None:
    answer = house.call("POST", f"/apps/{app}/collaborators", body)
    assert answer.status == status, answer.text
    assert "bad@example.org" not in house.call("GET", "/users", by="admin").text


def test_who_was_invited_by_one_is_not_taken_for_that_person_by_another(house: House, app: str, new: str) -> None:
    """The inviter sees the link first, and could have kept it."""
    house.create(f"{app}-evil", by="other")
    invited = house.call("POST", f"/apps/{app}-evil/collaborators", {"user": new}, by="other")
    assert invited.status == 201
    refused = house.call("POST", f"/apps/{app}/collaborators", {"user": new})
    assert (refused.status, "only other@example.org" in refused.json["message"]) == (409, True)
    vouched = house.call("POST", "/users", {"email": new}, by="admin")
    assert vouched.status == 201
    assert house.call("POST", f"/apps/{app}/collaborators", {"user": new}).status == 201


def test_an_app_goes_to_a_collaborator_only_and_at_once_by_an_admin_of_the_platform_only(
    house: House, app: str
) -> None:
    gives = {"owner": "other@example.org"}
    assert house.call("PATCH", f"/apps/{app}", gives, by="admin").status == 409
    house.call("POST", f"/apps/{app}/collaborators", {"user": "other@example.org", "permissions": ["admin"]})
    assert house.call("PATCH", f"/apps/{app}", gives, by="other").status == 403
    refused = house.call("PATCH", f"/apps/{app}", gives)  # not before its recipient takes it
    assert (refused.status, f"wherry apps:transfer other@example.org -a {app}" in refused.text) == (403, True)
    assert house.call("PATCH", f"/apps/{app}", gives, by="admin").json["owner"]["email"] == "other@example.org"
    listed = house.call("GET", f"/apps/{app}/collaborators").json
    assert [(each["user"]["email"], each["role"]) for each in listed] == [
        ("other@example.org", "owner"),
        ("owner@example.org", "collaborator"),
    ]
    assert "app.transfer" in actions(house, f"/apps/{app}/events", "owner")


def test_t31_a_token_is_shown_once_and_ends_when_it_is_revoked(house: House) -> None:
    made = house.call("POST", "/oauth/authorizations", {"description": "laptop", "scope": ["read"], "expires_in": 60})
    assert (made.status, made.json["scope"]) == (201, ["read"])
    assert 50 < made.json["access_token"]["expires_in"] <= 60
    typed = house.call("POST", "/oauth/authorizations", {"expires_in": "60"}).json  # as Heroku's command line sends it
    assert 50 < typed["access_token"]["expires_in"] <= 60
    token, path = made.json["access_token"]["token"], f"/oauth/authorizations/{made.json['id']}"
    assert token not in house.call("GET", path).text + house.call("GET", "/oauth/authorizations").text
    assert token not in (house.folder / "ledger.db").read_bytes().decode("latin-1")
    laptop = keep(house, "laptop", token)
    assert house.call("GET", "/apps", by=laptop).status == 200
    refused = house.call("POST", "/apps", {}, by=laptop)
    assert (refused.status, refused.json["id"]) == (403, "forbidden")
    assert "this token's scope is read" in refused.json["message"]

    assert house.call("PATCH", path, {"description": "desk"}).json["description"] == "desk"
    assert [house.call("PATCH", path, body).status for body in ({}, {"description": 1}, {"scope": ["global"]})] == [
        422
    ] * 3
    rotated = house.call("POST", f"{path}/actions/regenerate-tokens").json["access_token"]["token"]
    assert house.call("GET", "/apps", by=laptop).status == 401
    assert house.call("GET", "/apps", by=keep(house, "laptop", rotated)).status == 200
    assert house.call("GET", path, by="other").status == house.call("DELETE", path, by="other").status == 404
    assert house.call("PATCH", path, {"description": "mine"}, by="other").status == 404
    assert house.call("DELETE", path).status == 200
    assert house.call("GET", "/apps", by=laptop).status == 401
    assert house.call("GET", path).status == 404
    assert {"token.create", "token.update", "token.rotate", "token.revoke"} <= set(actions(house, "/events"))


@pytest.mark.parametrize(
    "body",
    [
        {"scope": []},
        {"scope": "read"},
        {"scope": ["everything"]},
        {"expires_in": 0},
        {"expires_in": -1},
        {"expires_in": "an hour"},
        {"expires_in": "\u0663"},
        {"expires_in": True},
        {"expires_in": 1e9},
        {"expires_in": 10**12},
        {"description": "x" * 201},
        {"description": "a\u202eb"},
        {"description": 3},
        {"client": "mine"},
    ],
)
def test_a_bad_wish_for_a_token_makes_none(house: House, body: Any) -> None:
    before = len(house.call("GET", "/oauth/authorizations").json)
    assert house.call("POST", "/oauth/authorizations", body).status == 422
    assert len(house.call("GET", "/oauth/authorizations").json) == before


@pytest.mark.parametrize("body", [{}, {"grant": {}}, {"grant": "x"}, {"grant": {"type": "password", "code": "x"}}])
def test_a_bad_grant_is_refused(house: House, body: Any) -> None:
    assert house.call("POST", "/oauth/tokens", body, by=None).status == 422


def bearer(token: str) -> str:
    return f"Bearer {token}"


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"git:{token}".encode()).decode()


@pytest.mark.parametrize("header", [bearer, basic])
@pytest.mark.parametrize(
    ("scope", "may"),
    [
        ("global", {"fetch", "push", "config", "account"}),
        ("identity", {"account"}),
        ("read", {"fetch", "account"}),
        ("read-protected", {"fetch", "config", "account"}),
        ("write", {"fetch", "push", "account"}),
        ("write-protected", {"fetch", "push", "config", "account"}),
    ],
)
def test_t03_a_scope_is_the_same_by_each_transport(
    house: House, app: str, scope: str, may: set[str], header: Callable[[str], str]
) -> None:
    made = house.call("POST", "/oauth/authorizations", {"scope": [scope]}).json
    sent = {"Authorization": header(made["access_token"]["token"])}
    asked = {
        "fetch": f"/{app}.git/info/refs?service=git-upload-pack",
        "push": f"/{app}.git/info/refs?service=git-receive-pack",
        "config": f"/apps/{app}/config-vars",
        "account": "/account",
    }
    for name, path in asked.items():
        assert house.call("GET", path, by=None, headers=sent).status == (200 if name in may else 403), name


def test_a_scoped_token_makes_no_other_way_in(house: House, app: str) -> None:
    made = house.call("POST", "/oauth/authorizations", {"scope": ["write-protected", "read-protected"]}).json
    by = keep(house, "robot", made["access_token"]["token"])
    assert house.call("POST", "/oauth/authorizations", {}, by=by).status == 403
    assert house.call("GET", "/oauth/authorizations", by=by).status == 403
    assert house.call("POST", f"/apps/{app}/collaborators", {"user": "me@evil.example"}, by=by).status == 403
    assert house.call("PATCH", f"/apps/{app}", {"owner": "other@example.org"}, by=by).status == 403


def test_an_admin_adds_and_removes_accounts_which_end_at_once(house: House, app: str, new: str) -> None:
    made = house.call("POST", "/users", {"email": new, "admin": True}, by="admin")
    assert (made.status, made.json["wherry_admin"]) == (201, True)
    user = keep(house, new, enter(house, made.json["login_url"]).json["access_token"]["token"])
    house.call("POST", f"/apps/{app}/collaborators", {"user": new})
    assert house.call("GET", "/users", by=user).status == 200
    assert house.call("DELETE", f"/users/{new}", by=user).status == 409
    house.create(f"{app}-theirs", by=user)
    owns = house.call("DELETE", f"/users/{new}", by="admin")
    assert (owns.status, f"{app}-theirs" in owns.json["message"]) == (409, True)
    assert house.call("DELETE", f"/apps/{app}-theirs", by=user).status == 200
    assert house.call("DELETE", f"/users/{made.json['id']}", by="admin").status == 200
    assert house.call("GET", "/account", by=user).status == 401
    assert new not in house.call("GET", f"/apps/{app}/collaborators").text
    assert house.call("GET", f"/users/{new}", by="admin").status == 404

    back = house.call("POST", f"/apps/{app}/collaborators", {"user": new})
    assert (back.status, "was removed" in back.json["message"]) == (409, True)
    again = house.call("POST", "/users", {"email": new}, by="admin")
    assert (again.status, again.json["wherry_admin"]) == (201, False)
    assert {"user.add", "user.remove"} <= set(actions(house, "/events"))


def test_an_account_has_a_name_of_its_own_choice(house: House) -> None:
    assert house.call("PATCH", "/account", {"name": "Ada Lovelace"}).json["name"] == "Ada Lovelace"
    assert house.call("GET", "/users/~").json["name"] == "Ada Lovelace"
    for bad in ("x" * 101, "a\nb", "a\u202eb", 3, ["a"]):
        assert house.call("PATCH", "/account", {"name": bad}).status == 422
    assert house.call("PATCH", "/account", {"email": "x@example.org"}).status == 422
    assert house.call("GET", "/account").json["name"] == "Ada Lovelace"


@pytest.mark.parametrize("ident", ["0", "-1", "1", "x" * 300, "%2e%2e", "00000000-0000-8000-8000-000000000001"])
def test_b59_ids_that_are_none_are_missing(house: House, app: str, ident: str) -> None:
    for path in (f"/oauth/authorizations/{ident}", f"/apps/{app}/collaborators/{ident}"):
        assert house.call("GET", path).status == 404, path
    assert house.call("GET", f"/users/{ident}", by="admin").status == 404


def test_t14_no_token_or_link_stands_in_the_ledger(house: House) -> None:
    stored = (house.folder / "ledger.db").read_bytes().decode("latin-1")
    for _, token in house.users.values():
        assert token not in stored


def test_t32_guesses_are_slowed_down_alike_and_a_known_token_passes(house: House) -> None:
    """Whether an account, a token or a link is guessed, and by which header: the same answer, then the same wait."""
    client = create_api(replace(house.world, attempts=Attempts())).test_client()
    owners = {"Authorization": f"Bearer {house.token('owner')}"}
    assert client.get("/account", headers=owners).status_code == 200
    for _ in range(3 * FREE):
        assert client.get("/account").status_code == 401, "asking without a token is no guess"
    guesses = [f"Bearer guess-{number}" for number in range(FREE)] + [basic("guess"), "Bearer t\xf6ken"] * 20
    answers = [client.get("/account", headers={"Authorization": guess}) for guess in guesses]
    assert [answer.status_code for answer in answers] == [401] * FREE + [429] * 40
    assert answers[-1].json["id"] == "rate_limit"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    link = client.post("/oauth/tokens", json={"grant": {"type": "authorization_code", "code": "guess"}})
    assert link.status_code == 429
    assert client.get("/account", headers=owners).status_code == 200
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/account", headers={"Authorization": "Bearer x"}, environ_base=elsewhere).status_code == 401
