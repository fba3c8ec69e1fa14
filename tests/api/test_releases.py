"""Releases over the API: what ran, what differs, once more, and back across a release phase."""

from __future__ import annotations

import itertools

import pytest

from tests.api.house import House, eventually

_numbers = itertools.count(1)


@pytest.fixture
def app(house: House) -> str:
    name = f"release-{next(_numbers)}"
    house.create(name)
    return name


def test_a_release_says_what_ran(house: House, app: str) -> None:
    house.call("PUT", f"/apps/{app}/buildpack-installations", {"updates": [{"buildpack": "wherry/python"}]})
    house.release(app)
    house.call("PATCH", f"/apps/{app}/formation", {"updates": [{"type": "web", "quantity": 3, "size": "large"}]})
    house.release(app, {"web": "serve", "release": "migrate"})
    first, second = (house.call("GET", f"/apps/{app}/releases/{name}").json for name in ("v1", "v2"))
    assert first["processes"] == {"web": "serve", "worker": "work"}
    assert first["formation"]["web"] == {"quantity": 1, "size": "basic"}
    assert second["formation"] == {"web": {"quantity": 3, "size": "large"}}
    assert (second["stack"], second["buildpacks"]) == ("wherry-12", ["wherry/python"])


def test_the_difference_of_two_releases_shows_no_value(house: House, app: str) -> None:
    house.call("PATCH", f"/apps/{app}/config-vars", {"KEPT": "same-value", "TOKEN": "old-secret"})
    house.release(app)
    house.call("PATCH", f"/apps/{app}/config-vars", {"TOKEN": "new-secret", "ADDED": "added-secret"})
    house.release(app, {"web": "serve --fast"})
    answer = house.call("GET", f"/apps/{app}/releases/v1/diff/3")
    assert "secret" not in answer.text
    assert "same-value" not in answer.text
    changes = {(each["area"], each["name"]): (each["before"], each["after"]) for each in answer.json["changes"]}
    assert changes[("process", "web")] == ("serve", "serve --fast")
    assert changes[("process", "worker")] == ("work", None)
    assert changes[("config", "TOKEN")] == ("[REDACTED]", "[REDACTED]")
    assert changes[("config", "ADDED")] == (None, "[REDACTED]")
    assert ("config", "KEPT") not in changes
    assert {"commit", "image"} <= {area for area, _ in changes}
    assert (answer.json["from"]["version"], answer.json["to"]["version"]) == (1, 3)
    assert house.call("GET", f"/apps/{app}/releases/v1/diff/v1").json["changes"] == []
    assert house.call("GET", f"/apps/{app}/releases/v1/diff/v9").status == 404


def test_t02_nothing_of_another_app_is_compared_or_released_again(house: House, app: str) -> None:
    house.release(app)
    foreign = house.call("GET", f"/apps/{app}/releases/v1").json
    own = f"{app}-own"
    house.create(own, by="other")
    house.release(own, by="other")
    path = f"/apps/{own}/releases"
    assert house.call("GET", f"{path}/v1/diff/{foreign['id']}", by="other").status == 404
    assert house.call("POST", path, {"slug": foreign["slug"]["id"]}, by="other").status == 404


def test_a_slug_makes_the_same_release_once_more_as_the_heroku_cli_asks(house: House, app: str) -> None:
    house.release(app)
    newest = house.call("GET", f"/apps/{app}/releases", headers={"Range": "version ..; max=10, order=desc"}).json[0]
    slug = house.call("GET", f"/apps/{app}/slugs/{newest['slug']['id']}").json
    assert (slug["checksum"], slug["process_types"]) == (newest["image"]["digest"], newest["processes"])
    body = {"slug": newest["slug"]["id"], "description": f"Retry of v1: {newest['description']}"}
    made = house.call("POST", f"/apps/{app}/releases", body)
    assert (made.status, made.json["version"], made.json["description"]) == (201, 2, body["description"])
    assert (made.json["image"], made.json["commit"]) == (newest["image"], newest["commit"])


def test_the_flags_and_the_formation_lead_the_heroku_cli_where_its_user_means(house: House, app: str) -> None:
    """`heroku rollback` goes to the second eligible of the newest ten, `releases:retry` wants a type named release."""
    for _ in range(2):
        house.release(app)
    house.release(app, {"web": "serve", "release": "migrate"})
    newest = house.call("GET", f"/apps/{app}/releases", headers={"Range": "version ..; max=10, order=desc"}).json
    assert [each["version"] for each in newest if each["eligible_for_rollback"]][1] == 2
    formation = house.call("GET", f"/apps/{app}/formation").json
    assert [(each["type"], each["quantity"]) for each in formation] == [("web", 1), ("release", 0)]
    scaled = house.call("PATCH", f"/apps/{app}/formation/release", {"quantity": 1})
    assert scaled.status == 422


def test_a_rollback_across_a_release_phase_is_refused_unless_it_is_forced(house: House, app: str) -> None:
    house.release(app)
    house.release(app, {"web": "serve", "release": "migrate"})
    path = f"/apps/{app}/releases"
    refused = house.call("POST", path, {"release": "v1"})
    assert (refused.status, refused.json["id"]) == (409, "rollback_risk")
    assert refused.json["problems"] == ["v2: migrate (Deploy 00000002)"]
    assert len(house.call("GET", path).json) == 2
    assert house.call("POST", path, {"release": "v1", "force": True}).json["description"] == "Rollback to v1"


def test_the_list_is_cut_by_the_ledger_and_by_id_as_by_version(house: House, app: str) -> None:
    for _ in range(4):
        house.release(app)
    path = f"/apps/{app}/releases"
    for field in ("id", "version"):
        seen, header = [], f"{field} ..; max=3, order=desc"
        while header:
            answer = house.call("GET", path, headers={"Range": header})
            seen += [each["version"] for each in answer.json]
            header = answer.headers.get("Next-Range") or ""
        assert seen == [4, 3, 2, 1]
    shown = house.call("GET", path).json
    one = house.call("GET", path, headers={"Range": f"id ]{shown[1]['id']}..{shown[2]['id']}"})
    assert [each["version"] for each in one.json] == [3]
    for wrong in ("id x..", "id 00000000-0000-0000-0000-000000000000..", f"version {2**63}.."):
        assert house.call("GET", path, headers={"Range": wrong}).status == 416
    assert shown[0]["eligible_for_rollback"]
    eventually(lambda: house.call("GET", f"{path}/v4").json["current"])


def test_a_plan_says_what_a_push_would_change_and_changes_nothing(house: House, app: str) -> None:
    house.release(app)
    body = {"commit": "c" * 40, "procfile": "web: serve --fast\n"}
    plan = house.call("POST", f"/apps/{app}/deploy-plan", body).json
    assert (plan["deploys"], plan["commit"], plan["running"]["version"]) == (True, "c" * 40, 1)
    changes = {(each["area"], each["name"]): (each["before"], each["after"]) for each in plan["changes"]}
    assert changes[("process", "web")] == ("serve", "serve --fast")
    assert changes[("commit", None)] == (f"{1:040x}", "c" * 40)
    assert house.call("POST", f"/apps/{app}/deploy-plan").status == 200
    for wrong in ({"commit": "main"}, {"procfile": "web: x"}, {**body, "build_file": "/etc/passwd"}, {"x": 1}):
        assert house.call("POST", f"/apps/{app}/deploy-plan", wrong).status == 422, wrong
    bad = house.call("POST", f"/apps/{app}/deploy-plan", {**body, "procfile": "web x"}).json
    assert bad["problems"] == ["Procfile:1: no colon in 'web x'"]
    assert len(house.call("GET", f"/apps/{app}/releases").json) == 1
