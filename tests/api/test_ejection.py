"""An app leaves as plain files, and comes back with its history."""

from __future__ import annotations

import base64
import copy
import itertools
import json
from typing import Any

import pytest
import yaml

from tests.api.house import House
from tests.fakes.images import InMemoryImages

_numbers = itertools.count(1)
VALUE = "plain ${HOME} $(rm) {{ x }} \"quoted\" 'so' \n---\nkind: Pod # no"


@pytest.fixture
def app(house: House) -> str:
    name = f"leaving-{next(_numbers)}"
    house.create(name)
    house.call("PATCH", f"/apps/{name}/config-vars", {"SECRET": VALUE})
    house.release(name, {"web": "serve", "worker": "work", "release": "migrate"})
    house.call("PATCH", f"/apps/{name}/formation", {"updates": [{"type": "web", "quantity": 3}]})
    house.release(name, {"web": "serve", "release": "migrate"})
    return name


def files(house: House, app: str, kind: str) -> dict[str, str]:
    answer = house.call("GET", f"/apps/{app}/ejection/{kind}")
    assert answer.status == 200, answer.text
    found: dict[str, str] = answer.json["files"]
    return found


def history(house: House, app: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files(house, app, "compose")["history.json"])
    return found


def test_t21_config_comes_out_of_the_yaml_byte_for_byte(house: House, app: str) -> None:
    compose = yaml.safe_load(files(house, app, "compose")["compose.yaml"])
    assert compose["services"]["web"]["environment"]["SECRET"].replace("$$", "$") == VALUE
    objects = list(yaml.safe_load_all(files(house, app, "kubernetes")["app.yaml"]))
    (secret,) = [each for each in objects if each["kind"] == "Secret"]
    assert base64.b64decode(secret["data"]["SECRET"]).decode() == VALUE


def test_compose_has_the_formation_and_the_release_phase_only_on_demand(house: House, app: str) -> None:
    services = yaml.safe_load(files(house, app, "compose")["compose.yaml"])["services"]
    assert services.keys() == {"web", "release"}
    assert services["web"]["deploy"]["replicas"] == 3
    assert services["web"]["ports"] == ["8080-8082:8080"]
    assert services["release"]["profiles"] == ["once"]


def test_kubernetes_files_carry_nothing_of_ours(house: House, app: str) -> None:
    found = files(house, app, "kubernetes")
    assert found.keys() == {"app.yaml", "release-phase.yaml", "history.json"}
    objects = list(yaml.safe_load_all(found["app.yaml"]))
    assert sorted(each["kind"] for each in objects) == [
        "Deployment",
        "Ingress",
        "PodDisruptionBudget",
        "Secret",
        "Service",
    ]
    assert "&id" not in found["app.yaml"]
    assert "wherry.dev" not in found["app.yaml"] + found["release-phase.yaml"]
    by_kind = {each["kind"]: each for each in objects}
    labels = {"app.kubernetes.io/name": app, "app.kubernetes.io/component": "web"}
    assert by_kind["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert by_kind["Deployment"]["spec"]["template"]["metadata"] == {"labels": labels}
    assert by_kind["Service"]["spec"]["selector"] == labels
    assert by_kind["Service"]["metadata"]["name"] == f"{app}-web"
    assert "namespace" not in json.dumps(objects)


def test_an_ejection_is_an_event_and_needs_a_release_and_a_known_kind(house: House, app: str) -> None:
    files(house, app, "compose")
    (*_, event) = house.call("GET", f"/apps/{app}/events").json
    assert (event["action"], event["after"]) == ("app.eject", {"to": "compose", "release": "v2"})
    assert house.call("GET", f"/apps/{app}/ejection/nomad").status == 404
    house.create(f"{app}-empty")
    assert house.call("GET", f"/apps/{app}-empty/ejection/compose").status == 409


def test_an_app_comes_back_with_its_history_config_and_formation(house: House, app: str) -> None:
    back = f"{app}-back"
    house.create(back)
    load = {"min_quantity": 2, "max_quantity": 5, "triggers": [{"type": "cpu", "metadata": {"value": 70}}]}
    assert house.call("PUT", f"/apps/{app}/formation/web/autoscaling", load).status == 200
    answer = house.call("POST", f"/apps/{back}/adoption", {"history": history(house, app)})
    assert (answer.status, answer.json["without_image"]) == (201, [])
    assert answer.json["release"]["description"] == "Adopt v2"
    releases = house.call("GET", f"/apps/{back}/releases").json
    assert sorted((each["version"], each["status"]) for each in releases)[:2] == [(1, "succeeded"), (2, "succeeded")]
    assert "owner@example.org" in releases[0]["description"]
    assert house.call("GET", f"/apps/{back}/config-vars").json == {"SECRET": VALUE}
    web = house.call("GET", f"/apps/{back}/formation/web").json
    assert (web["quantity"], web["autoscaling"]) == (3, load)
    again = house.call("POST", f"/apps/{back}/adoption", {"history": history(house, app)})
    assert again.status == 409


def test_t02_no_history_makes_another_users_image_ones_own(house: House, app: str) -> None:
    own = f"{app}-thief"
    house.create(own, by="other")
    stolen = house.call("POST", f"/apps/{own}/adoption", {"history": history(house, app)}, by="other")
    assert stolen.status == 404
    assert house.call("GET", f"/apps/{own}/releases", by="other").json == []


def test_a_release_whose_image_is_gone_is_history_only(house: House, app: str) -> None:
    found = history(house, app)
    assert isinstance(house.world.images, InMemoryImages)
    house.world.images.gone.add(found["releases"][0]["image"]["digest"])
    back = f"{app}-part"
    house.create(back)
    answer = house.call("POST", f"/apps/{back}/adoption", {"history": found})
    assert (answer.status, answer.json["without_image"]) == (201, [1])
    assert house.call("GET", f"/apps/{back}/releases/v1").json["status"] == "failed"
    assert house.call("POST", f"/apps/{back}/releases", {"release": "v1"}).status == 409


def test_without_the_image_that_served_last_nothing_is_taken_in(house: House, app: str) -> None:
    found = history(house, app)
    assert isinstance(house.world.images, InMemoryImages)
    house.world.images.gone.add(found["releases"][-1]["image"]["digest"])
    back = f"{app}-none"
    house.create(back)
    assert house.call("POST", f"/apps/{back}/adoption", {"history": found}).status == 404
    assert house.call("GET", f"/apps/{back}/releases").json == []
    assert house.call("GET", f"/apps/{back}/config-vars").json == {}


def _changed(found: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    found = copy.deepcopy(found)
    *way, last = path.split(".")
    place: Any = found
    for each in way:
        place = place[int(each) if each.isdecimal() else each]
    place[last] = value
    return found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("wherry", 2),
        ("registry", "../etc"),
        ("releases", []),
        ("releases.0.number", 7),
        ("releases.0.created_at", "yesterday"),
        ("releases.0.status", "great"),
        ("releases.0.image.digest", "latest"),
        ("releases.0.image.repository", "stack/run"),
        ("releases.0.config", {"PORT": "1"}),
        ("releases.0.config", ["A"]),
        ("releases.0.image.processes", {"no type!": "x"}),
        ("formation", {"web": {"quantity": -1, "size": "basic"}}),
        ("formation", {"web": {"quantity": 1, "size": "galaxy"}}),
        ("formation", {"web": {"quantity": 1, "size": "basic", "autoscaling": {"max_quantity": 0}}}),
    ],
)
def test_a_history_that_is_not_right_is_refused_and_changes_nothing(
    house: House, app: str, path: str, value: object
) -> None:
    back = f"{app}-bad"
    house.create(back)
    answer = house.call("POST", f"/apps/{back}/adoption", {"history": _changed(history(house, app), path, value)})
    assert answer.status == 422, answer.text
    assert house.call("GET", f"/apps/{back}/releases").json == []
