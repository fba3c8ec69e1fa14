"""What each resource answers, in Heroku's shapes."""

from __future__ import annotations

import itertools
import re

import pytest

from tests.api.house import House, eventually

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_numbers = itertools.count(1)


@pytest.fixture
def app(house: House) -> str:
    name = f"resource-{next(_numbers)}"
    house.create(name)
    return name


def test_an_app_has_its_urls_and_the_same_id_every_time(house: House, app: str) -> None:
    shown = house.call("GET", f"/apps/{app}").json
    assert shown["git_url"] == f"{house.url}/{app}.git"
    assert shown["web_url"] == f"http://{app}.localhost:8300/"
    assert shown["owner"]["email"] == "owner@example.org"
    assert shown["released_at"] is None
    assert UUID.fullmatch(shown["id"])
    assert house.call("GET", f"/apps/{shown['id']}").json == shown
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", shown["created_at"])


def test_a_taken_name_and_anothers_are_the_same_conflict(house: House, app: str) -> None:
    mine = house.call("POST", "/apps", {"name": app}).json
    others = house.call("POST", "/apps", {"name": app}, by="other").json
    assert mine["id"] == others["id"] == "conflict"
    assert mine["message"] == others["message"]


def test_a_renamed_app_answers_at_its_new_name_only(house: House, app: str) -> None:
    answer = house.call("PATCH", f"/apps/{app}", {"name": f"{app}-new"})
    assert (answer.status, answer.json["name"]) == (200, f"{app}-new")
    assert house.call("GET", f"/apps/{app}").status == 404
    assert house.call("GET", f"/apps/{app}-new").status == 200


def test_what_an_app_cannot_become_is_refused(house: House, app: str) -> None:
    answer = house.call("PATCH", f"/apps/{app}", {"maintenance": "on"})
    assert (answer.status, answer.json["problems"]) == (422, ["maintenance: must be true or false, is a string"])
    for off in (False, 0):  # heroku3, of Python, sends 0
        assert house.call("PATCH", f"/apps/{app}", {"maintenance": True}).json["maintenance"] is True
        assert house.call("PATCH", f"/apps/{app}", {"maintenance": off}).json["maintenance"] is False
    assert house.call("PATCH", f"/apps/{app}", {"maintenance": 2}).status == 422
    assert house.call("PATCH", f"/apps/{app}", {"name": f"{app}-x", "build_stack": "heroku-24"}).status == 422
    assert house.call("GET", f"/apps/{app}").status == 200


def test_a_stack_is_listed_and_chosen_for_the_next_build(house: House, app: str) -> None:
    stacks = house.call("GET", "/stacks").json
    assert [(each["name"], each["default"]) for each in stacks] == [("container", False), ("wherry-12", True)]
    assert (
        house.call("GET", f"/stacks/{stacks[0]['id']}").json == house.call("GET", "/stacks/container").json == stacks[0]
    )
    assert house.call("GET", "/stacks/cedar").status == 404
    assert house.call("GET", f"/apps/{app}").json["build_stack"]["name"] == "wherry-12"
    for _ in range(2):
        changed = house.call("PATCH", f"/apps/{app}", {"build_stack": "container"}).json
        assert changed["build_stack"] == {"id": stacks[0]["id"], "name": "container"}
    with house.world.ledger.begin(read_only=True) as tx:
        assert tx.apps.by_name(app).build.stack == "container"
        assert [each.after for each in tx.events.of_app(app) if each.action == "stack.change"] == [
            {"stack": "container"}
        ]
    made = house.call("POST", "/apps", {"stack": "container"}).json
    assert (made["stack"]["name"], made["build_stack"]["name"]) == ("container", "container")
    assert house.call("POST", "/apps", {"stack": 7}).status == 422


def test_a_formation_of_images_makes_a_release_that_the_header_names(house: House, app: str) -> None:
    digest = f"sha256:{'1' * 64}"
    updates = [{"type": "web", "docker_image": digest}, {"type": "worker", "docker_image": digest}]
    answer = house.call("PATCH", f"/apps/{app}/formation", {"updates": updates})
    assert (answer.status, answer.headers["Wherry-Release"]) == (200, "v1")
    assert [(each["type"], each["quantity"], each["command"]) for each in answer.json] == [
        ("web", 1, "serve 11"),
        ("worker", 0, "serve 11"),
    ]
    assert house.call("GET", f"/apps/{app}/releases/v1").json["image"]["digest"] == digest
    mixed = [*updates, {"type": "clock", "quantity": 1}]
    for wrong in (mixed, [*updates, updates[0]], [{"type": "web", "docker_image": 7}], [{**updates[0], "quantity": 1}]):
        assert house.call("PATCH", f"/apps/{app}/formation", {"updates": wrong}).status == 422
    gone = [{"type": "web", "docker_image": f"sha256:{'2' * 64}"}]
    assert house.call("PATCH", f"/apps/{app}/formation", {"updates": gone}).status == 404
    assert len(house.call("GET", f"/apps/{app}/releases").json) == 1


def test_a_destroyed_app_is_shown_once_more_and_its_name_stays_taken(house: House, app: str) -> None:
    assert house.call("DELETE", f"/apps/{app}").json["name"] == app
    assert house.call("GET", f"/apps/{app}").status == 404
    assert house.call("POST", "/apps", {"name": app}, by="other").status == 409


def test_b08_config_values_come_back_byte_for_byte(house: House, app: str) -> None:
    values = {
        "A": 'new\nline "quoted" $(id) {{x}}',
        "B": "---\nno",
        "C": "  0123 ",
        "D": "\U0001f6a2",
        "a": "x" * 32768,
    }
    assert house.call("PATCH", f"/apps/{app}/config-vars", values).json == values
    assert house.call("GET", f"/apps/{app}/config-vars").json == values
    assert house.call("PATCH", f"/apps/{app}/config-vars", {"A": None, "B": None}).json.keys() == {"C", "D", "a"}


@pytest.mark.parametrize("body", [{"1A": "x"}, {"PORT": "1"}, {"A": 1}, {"A": {"b": 1}}, {"A": "x" * 32769}, {"": "x"}])
def test_b06_b07_a_bad_config_var_changes_nothing(house: House, app: str, body: dict[str, object]) -> None:
    answer = house.call("PATCH", f"/apps/{app}/config-vars", {"GOOD": "x", **body})
    assert (answer.status, answer.json["id"], len(answer.json["problems"])) == (422, "invalid_params", 1)
    assert house.call("GET", f"/apps/{app}/config-vars").json == {}


def test_a_release_keeps_the_config_that_it_was_made_with(house: House, app: str) -> None:
    house.call("PATCH", f"/apps/{app}/config-vars", {"A": "1"})
    house.release(app)
    house.call("PATCH", f"/apps/{app}/config-vars", {"A": "2"})
    assert [house.call("GET", f"/apps/{app}/releases/{name}/config-vars").json for name in ("v1", "v2")] == [
        {"A": "1"},
        {"A": "2"},
    ]


def test_an_admin_sees_all_apps_and_their_own_apart(house: House, app: str) -> None:
    house.create(f"{app}-own", by="admin")
    all_of_them = {each["name"] for each in house.call("GET", "/apps", by="admin").json}
    own = {each["name"] for each in house.call("GET", "/users/~/apps", by="admin").json}
    assert {app, f"{app}-own"} <= all_of_them
    assert f"{app}-own" in own
    assert app not in own
    assert app not in {each["name"] for each in house.call("GET", "/apps", by="other").json}


def test_a_change_of_config_names_its_release_and_no_change_makes_none(house: House, app: str) -> None:
    assert house.call("PATCH", f"/apps/{app}/config-vars", {"A": "1"}).headers["Wherry-Release"] is None
    house.release(app)
    answer = house.call("PATCH", f"/apps/{app}/config-vars", {"A": "2"})
    assert answer.headers["Wherry-Release"] == "v2"
    assert house.call("PATCH", f"/apps/{app}/config-vars", {"A": "2"}).headers["Wherry-Release"] is None
    assert house.call("GET", f"/apps/{app}/releases/v2").json["description"] == "Set A config vars"


def test_formation_is_shown_and_changed_as_heroku_does(house: House, app: str) -> None:
    assert house.call("GET", f"/apps/{app}/formation").json == []
    house.release(app)
    web, worker = house.call("GET", f"/apps/{app}/formation").json
    assert (web["type"], web["quantity"], web["size"], web["command"]) == ("web", 1, "basic", "serve")
    assert (worker["type"], worker["quantity"]) == ("worker", 0)
    updates = [{"type": "web", "quantity": "+2", "size": "Large"}, {"type": "worker", "quantity": 1}]
    web, worker = house.call("PATCH", f"/apps/{app}/formation", {"updates": updates}).json
    assert (web["quantity"], web["size"], worker["quantity"]) == (3, "large", 1)
    by_id = house.call("PATCH", f"/apps/{app}/formation/web", {"dyno_size": {"id": "x"}})
    assert (by_id.status, by_id.json["problems"][0][:28]) == (422, "dyno_size: must have a name ")
    one = house.call("PATCH", f"/apps/{app}/formation/web", {"quantity": "-1", "dyno_size": {"name": "huge"}}).json
    assert (one["quantity"], one["size"]) == (2, "huge")
    assert house.call("GET", f"/apps/{app}/formation/{one['id']}").json == one
    eventually(lambda: len(house.call("GET", f"/apps/{app}/dynos").json) == 3)
    dyno = house.call("GET", f"/apps/{app}/dynos/web.2").json
    assert (dyno["type"], dyno["state"], dyno["release"]["version"], dyno["command"]) == ("web", "up", 1, "serve")


def test_the_name_of_a_type_restarts_and_stops_all_of_it_as_the_heroku_cli_asks(house: House, app: str) -> None:
    house.release(app)
    assert house.call("DELETE", f"/apps/{app}/dynos/web").status == 202
    assert house.call("POST", f"/apps/{app}/dynos/worker/actions/stop").status == 202
    told = [(each["action"], each["after"]) for each in house.call("GET", f"/apps/{app}/events").json[-2:]]
    assert told == [("process.restart", {"process": "web"}), ("process.stop", {"process": "worker"})]
    assert house.call("DELETE", f"/apps/{app}/dynos/nothing").status == 404


@pytest.mark.parametrize("quantity", [-1, 1.5, 10**9, "many", "+", True, [], {}, float("1e308"), "1e2", "\u0663"])
def test_b42_a_bad_quantity_scales_nothing(house: House, app: str, quantity: object) -> None:
    house.release(app)
    updates = [{"type": "worker", "quantity": 1}, {"type": "web", "quantity": quantity}]
    answer = house.call("PATCH", f"/apps/{app}/formation", {"updates": updates})
    assert (answer.status, answer.json["id"]) == (422, "invalid_params")
    assert answer.json["problems"]
    assert [each["quantity"] for each in house.call("GET", f"/apps/{app}/formation").json] == [1, 0]


def test_load_decides_between_bounds_until_it_no_longer_shall(house: House, app: str) -> None:
    house.release(app)
    path, cpu = f"/apps/{app}/formation/web/autoscaling", {"type": "cpu", "metadata": {"value": 70}}
    wanted = {"min_quantity": 2, "max_quantity": 5, "triggers": [cpu]}
    made = house.call("PUT", path, wanted)
    assert (made.status, made.json["autoscaling"], made.json["quantity"]) == (200, wanted, 2)
    web, worker = house.call("GET", f"/apps/{app}/formation").json
    assert (web, worker["autoscaling"]) == (made.json, None)
    refused = house.call("PATCH", f"/apps/{app}/formation/web", {"quantity": 3})
    assert (refused.status, "ps:autoscale:disable web" in refused.text) == (422, True)
    ended = house.call("DELETE", path)
    assert (ended.status, ended.json["autoscaling"]) == (200, None)
    assert house.call("DELETE", path).status == 404
    assert house.call("PUT", path.replace("web", "nope"), wanted).status == 404


def test_bounds_out_of_the_grammar_are_refused_with_every_fault(house: House, app: str) -> None:
    house.release(app)
    path = f"/apps/{app}/formation/web/autoscaling"
    wrong = {
        "min_quantity": 0,
        "max_quantity": "9",
        "triggers": [{"type": "cpu", "metadata": {"value": 101}}, 7],
        "x": 1,
    }
    answer = house.call("PUT", path, wrong)
    assert (answer.status, len(answer.json["problems"])) == (422, 7), answer.text
    assert house.call("PUT", path, {}).status == 422
    house.runtime.by_load = False
    try:
        good = {"max_quantity": 5, "triggers": [{"type": "cpu", "metadata": {"value": 70}}]}
        answer = house.call("PUT", path, good)
        assert (answer.status, "on a Kubernetes only" in answer.text) == (422, True)
    finally:
        house.runtime.by_load = True


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"updates": {}},
        {"updates": [1]},
        {"updates": [{"quantity": 1}]},
        {"updates": [{"type": "web", "quantity": 1}, {"type": "web", "quantity": 2}]},
        {"updates": [{"type": "nope", "quantity": 1}]},
        {"updates": [{"type": "web", "quantitty": 1}]},
    ],
)
def test_a_formation_change_of_another_shape_is_refused(house: House, app: str, body: object) -> None:
    house.release(app)
    assert house.call("PATCH", f"/apps/{app}/formation", body).status == 422


def test_releases_come_in_pages(house: House, app: str) -> None:
    for _ in range(5):
        house.release(app)
    path = f"/apps/{app}/releases"
    first = house.call("GET", path, headers={"Range": "version ..; max=2, order=desc"})
    assert (first.status, [each["version"] for each in first.json]) == (206, [5, 4])
    assert first.headers["Content-Range"] == "version v5..v4; max=2, order=desc"
    assert first.headers["Next-Range"] == "version ]v4..; max=2, order=desc"
    second = house.call("GET", path, headers={"Range": first.headers["Next-Range"]})
    third = house.call("GET", path, headers={"Range": second.headers["Next-Range"]})
    assert [each["version"] for each in second.json + third.json] == [3, 2, 1]
    assert third.status == 200
    assert third.headers["Next-Range"] is None
    whole = house.call("GET", path)
    assert (whole.status, [each["version"] for each in whole.json]) == (200, [1, 2, 3, 4, 5])
    assert whole.headers["Accept-Ranges"] == "id, version"
    for header, versions in (
        ("version v2..v3", [2, 3]),
        ("version ..;order=desc,max=1", [5]),
        ("bytes=0-1", [1, 2, 3, 4, 5]),
    ):
        assert [each["version"] for each in house.call("GET", path, headers={"Range": header}).json] == versions, header


@pytest.mark.parametrize(
    "header",
    ["name ..", "version", "version ..; max=0", "version ..; max=x", "version x..", "version ..; order=up", "v'..--"],
)
def test_b59_a_range_that_cannot_be_read_is_a_416(house: House, app: str, header: str) -> None:
    answer = house.call("GET", f"/apps/{app}/releases", headers={"Range": header})
    if header == "version":
        assert answer.status == 200
    else:
        assert (answer.status, answer.json["id"]) == (416, "bad_range")


def test_a_release_is_found_by_number_name_and_id(house: House, app: str) -> None:
    house.release(app)
    shown = house.call("GET", f"/apps/{app}/releases/v1").json
    assert (shown["version"], shown["status"], shown["current"], shown["eligible_for_rollback"]) == (
        1,
        "succeeded",
        True,
        True,
    )
    for way in ("1", shown["id"], shown["id"].upper()):
        found = house.call("GET", f"/apps/{app}/releases/{way}").json
        assert found["id"] == shown["id"]


@pytest.mark.parametrize(
    "name", ["v0", "v9", "0", "-1", "9223372036854775808", "v1x", "x", "1'--", "01234567-89ab-cdef-0123-456789abcdef"]
)
def test_b59_a_release_that_is_not_there_is_a_404(house: House, app: str, name: str) -> None:
    house.release(app)
    assert house.call("GET", f"/apps/{app}/releases/{name}").status == 404


def test_a46_a_rollback_to_what_cannot_be_is_refused(house: House, app: str) -> None:
    assert house.call("POST", f"/apps/{app}/releases", {}).status == 409
    house.release(app)
    for body, status in (
        ({}, 409),
        ({"release": "v1"}, 409),
        ({"release": "v7"}, 404),
        ({"release": 7}, 404),
        ({"release": True}, 422),
        ({"release": ["v1"]}, 422),
        ({"slug": "x"}, 404),
        ({"slug": 7}, 422),
        ({"slug": "x", "release": "v1"}, 422),
        ({"slogan": "x"}, 422),
        ({"force": "yes"}, 422),
    ):
        assert house.call("POST", f"/apps/{app}/releases", body).status == status, body
    house.call("PATCH", f"/apps/{app}/config-vars", {"MODE": "exits"})
    eventually(lambda: house.call("GET", f"/apps/{app}/releases/v2").json["status"] == "failed")
    assert house.call("POST", f"/apps/{app}/releases", {"release": "v2"}).status == 409


def test_a_rollback_without_a_target_goes_to_the_one_before(house: House, app: str) -> None:
    house.release(app)
    house.release(app)
    assert house.call("POST", f"/apps/{app}/releases", {}).json["description"] == "Rollback to v1"


def test_the_account_is_the_tokens(house: House) -> None:
    account = house.call("GET", "/account", by="admin").json
    assert (account["email"], account["wherry_admin"]) == ("admin@example.org", True)


def test_every_path_of_the_api_is_in_its_docs(house: House) -> None:
    from pathlib import Path

    from wherry.api import create_api

    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    rules = create_api(house.world).url_map.iter_rules()
    wanted = {f"`{method} {rule.rule}`" for rule in rules for method in (rule.methods or set()) - {"HEAD"}}
    assert sorted(each for each in wanted if each not in text and each.split(" ")[1] not in text) == []


def test_health_tells_life_from_readiness(house: House) -> None:
    assert house.call("GET", "/health/live", by=None).json == {"status": "live"}
    assert house.call("GET", "/health/ready", by=None).json == {"status": "ready"}


def test_buildpacks_are_put_as_a_whole_and_shown_in_their_order(house: House, app: str) -> None:
    path = f"/apps/{app}/buildpack-installations"
    assert house.call("GET", path).json == []
    names = ["urn:buildpack:heroku/python", "wherry/nodejs@1.0", "./packs/mine"]
    answer = house.call("PUT", path, {"updates": [{"buildpack": name} for name in names]})
    shown = [
        {"buildpack": {"name": "heroku/python", "url": "urn:buildpack:heroku/python"}, "ordinal": 0},
        {"buildpack": {"name": "wherry/nodejs@1.0", "url": "urn:buildpack:wherry/nodejs@1.0"}, "ordinal": 1},
        {"buildpack": {"name": "./packs/mine", "url": "./packs/mine"}, "ordinal": 2},
    ]
    assert (answer.status, answer.json) == (200, shown)
    again = [{"buildpack": each["buildpack"]["url"]} for each in shown]
    assert house.call("PUT", path, {"updates": again}).json == house.call("GET", path).json == shown
    assert house.call("PUT", path, {"updates": []}).json == []
    with house.world.ledger.begin(read_only=True) as tx:
        events = [each for each in tx.events.of_app(app) if each.action == "buildpacks.change"]
    assert [each.after for each in events] == [
        {"buildpacks": []},
        {"buildpacks": ["heroku/python", "wherry/nodejs@1.0", "./packs/mine"]},
    ]


def test_t27_a_buildpack_by_url_is_refused_at_once_unless_the_operator_allows_it(house: House, app: str) -> None:
    path = f"/apps/{app}/buildpack-installations"
    wanted = [{"buildpack": "wherry/python"}, {"buildpack": "https://h.example/x.git"}, {"buildpack": 7}]
    answer = house.call("PUT", path, {"updates": wanted})
    assert (answer.status, len(answer.json["problems"])) == (422, 2)
    assert house.call("PUT", path, {"updates": "wherry/python"}).status == 422
    assert house.call("PUT", path, {"updates": [{"buildpack": "a/b", "index": 1}]}).status == 422
    assert house.call("GET", path).json == []
