"""What the chart makes of its values, in every shape: pinned, unprivileged, and with no right that is not named."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from wherry.runtimes.cluster import kinds
from wherry.settings import Settings

from tests.chart.shapes import CHART, OUTSIDE, SHAPES, VERSION, helmed, pod_specs, rendered, with_images
from tests.cluster.cluster import Cluster
from tests.cluster.gateway import Gateway

WRITING = {"get", "list", "watch", "create", "patch", "delete"}
READ_ONLY = {kinds.EVENT, kinds.ENDPOINT_SLICE, kinds.NODE, kinds.REPLICA_SET, kinds.GATEWAY, kinds.INGRESS_CLASS}


@pytest.fixture(params=SHAPES)
def objects(request: pytest.FixtureRequest, helm: Path, tmp_path: Path) -> list[dict[str, Any]]:
    return rendered(helm, SHAPES[request.param], tmp_path)


def test_the_api_server_takes_every_object_as_it_is(
    objects: list[dict[str, Any]], cluster: Cluster, gateway: Gateway, namespace: str
) -> None:
    for each in objects:
        if "namespace" in each["metadata"]:
            each["metadata"]["namespace"] = namespace
    done = cluster.kubectl(
        *("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"),
        stdin=yaml.safe_dump_all(objects),
    )
    assert len(done.splitlines()) == len(objects)


def test_no_image_is_unpinned_no_container_root_and_no_root_writable(objects: list[dict[str, Any]]) -> None:
    found = list(pod_specs(objects))
    assert found
    for name, spec in found:
        pod = spec["securityContext"]
        assert (pod["runAsNonRoot"], pod["seccompProfile"]) == (True, {"type": "RuntimeDefault"}), name
        assert pod["runAsUser"] > 0, name
        assert spec["automountServiceAccountToken"] is False, name
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            assert not spec.get(key), name
        assert not [each for each in spec["volumes"] if "hostPath" in each] if "volumes" in spec else True
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert re.fullmatch(r".+@sha256:[0-9a-f]{64}", container["image"]), name
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["requests"], name
            assert container["resources"]["limits"]["memory"], name
            names = [each["name"] for each in container.get("env", [])]
            assert len(names) == len(set(names)), f"{name}: {names}"


def test_every_setting_that_the_chart_sets_is_one(objects: list[dict[str, Any]]) -> None:
    known = {row["variable"] for row in Settings.load({}).table()} | {"WHERRY_SECRETS", "WHERRY_OWN"}
    for _, spec in pod_specs(objects):
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert {each["name"] for each in container.get("env", []) if each["name"].startswith("WHERRY_")} <= known


def test_rights_are_named_one_by_one_and_are_those_that_the_runtime_uses(helm: Path, tmp_path: Path) -> None:
    objects = rendered(helm, SHAPES["small"], tmp_path)
    rules = [rule for each in objects if each["kind"].endswith("Role") for rule in each["rules"]]
    assert "*" not in {word for rule in rules for words in rule.values() for word in words}
    assert not {"impersonate", "bind", "escalate", "deletecollection"} & {
        verb for rule in rules for verb in rule["verbs"]
    }
    granted = {
        (group, resource): set(rule["verbs"])
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    ours = {each for each in vars(kinds).values() if isinstance(each, kinds.Kind)}
    for kind in ours - READ_ONLY:
        assert granted.pop((kind.group, kind.plural)) == WRITING, kind
    for kind in READ_ONLY - {kinds.NODE}:
        assert granted.pop((kind.group, kind.plural)) <= {"get", "list", "watch"}, kind
    assert granted == {
        ("", "pods/log"): {"get"},
        ("", "pods/exec"): {"get", "create"},
        ("", "pods/attach"): {"get", "create"},
    }


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replica": 2}, "replica"),
        ({"image": {"platform": "registry.example.com/wherry:latest"}}, "platform"),
        ({"image": {"tag": "1"}}, "tag"),
        ({"publicUrl": "wherry.example.com"}, "publicUrl"),
        ({"settings": {"PATH": "/"}}, "PATH"),
        ({"doors": {"ssh": {"port": 22}}}, "port"),
        ({"replicas": 2}, "ReadWriteMany"),
        ({"registry": {}}, "registry.url"),
        ({"registry": {**OUTSIDE, "own": {"enabled": True}}}, "either"),
        ({"ingress": {"enabled": True}}, "ingress.host"),
        ({"httpRoute": {"enabled": True}}, "parentRefs"),
    ],
)
def test_values_that_cannot_be_are_refused_by_name(
    values: dict[str, Any], said: str, helm: Path, helm4: Path, tmp_path: Path
) -> None:
    file = tmp_path / "values.json"
    given = with_images({"registry": OUTSIDE, **values})
    file.write_text(json.dumps(given))
    for program in (helm, helm4):
        done = helmed(program, "template", "wherry", CHART, *VERSION, "-f", file)
        assert done.returncode != 0
        assert said in done.stderr


def test_without_an_image_it_says_how_to_make_one(helm: Path) -> None:
    done = helmed(helm, "template", "wherry", CHART, *VERSION, "--set", "registry.url=https://registry.example.com")
    assert done.returncode != 0
    assert "bin/image" in done.stderr


def test_both_helms_find_nothing_wrong_and_make_the_same(helm: Path, helm4: Path, tmp_path: Path) -> None:
    for values in SHAPES.values():
        three, four = (rendered(program, values, tmp_path) for program in (helm, helm4))
        assert _but_for_chance(three) == _but_for_chance(four)
        for program in (helm, helm4):
            done = helmed(program, "lint", "--strict", CHART, "-f", tmp_path / "values.json")
            assert done.returncode == 0, done.stdout + done.stderr


def test_every_value_is_in_its_readme() -> None:
    text = (CHART / "README.md").read_text()
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert [each for each in values if f"`{each}" not in text] == []
    assert set(values) == set(schema["properties"]) - {"global"}


def _but_for_chance(objects: list[dict[str, Any]]) -> list[str]:
    for each in objects:
        if each["kind"] == "Secret":
            each["data"] = sorted(each["data"])
    return sorted(json.dumps(each, sort_keys=True) for each in objects)
