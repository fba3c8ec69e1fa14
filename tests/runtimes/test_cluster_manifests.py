from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wherry.domain.autoscale import Autoscale
from wherry.domain.health import Check, Kind
from wherry.domain.image import Image, Start
from wherry.domain.restarts import Turn
from wherry.domain.secret import Secret
from wherry.domain.volume import Volume
from wherry.domain.workload import Workload
from wherry.logins import Login
from wherry.runtimes.cluster import manifests, namespace, naming
from wherry.runtimes.cluster.client import encoded
from wherry.runtimes.cluster.ground import Ground, Pulls
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.plan import plan
from wherry.runtimes.cluster.pod_spec import config_secret
from wherry.runtimes.cluster.probes import left_out, probes

from tests.runtimes.machine_world import workload

IMAGE = Image("apps/1", "sha256:" + "a" * 64, {"web": "serve", "worker": "work"})
GROUND = Ground("p1", Pulls("registry.example.com/team"))
GOLDEN = Path(__file__).parent / "golden/cluster_web.json"
ENV = st.dictionaries(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    max_size=5,
)


def everything(asked: Workload, login: Login | None = None) -> list[Object]:
    return [
        *namespace.objects(GROUND, asked.app_id, asked.app_name, login or Login()),
        config_secret(GROUND, asked),
        *manifests.around(GROUND, asked),
        manifests.deployment(GROUND, asked),
    ]


def test_a_web_process_as_objects_is_exactly_this() -> None:
    """When this is meant to change: write the new value to the file, and read its difference."""
    asked = workload(IMAGE, release=12, quantity=2, env={"WORD": "hello"}, boot_limit=10.0)
    assert everything(asked) == json.loads(GOLDEN.read_text())


@given(ENV, st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_t21_hostile_values_change_no_object_but_the_secret_and_arrive_as_they_are(
    env: dict[str, str], command: str
) -> None:
    plain = workload(IMAGE, start=Start(("/bin/sh", "-c", "x")))
    hostile = replace(
        plain, env={name: Secret(value) for name, value in env.items()}, start=Start(("/bin/sh", "-c", command))
    )
    made = [json.loads(encoded(each)) for each in everything(hostile)]
    assert [_place(each) for each in made[:6]] == [_place(each) for each in everything(plain)[:6]]
    assert [each["kind"] for each in made] == [each["kind"] for each in everything(plain)]
    secret = next(each for each in made if each["kind"] == "Secret")
    assert {name: base64.b64decode(value).decode() for name, value in secret["data"].items()} == env
    container = made[-1]["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["/bin/sh", "-c", command]
    assert not [each for each in container["env"] if each["name"] in env and each["name"] not in ("DYNO", "PORT")]


def _place(found: Object) -> tuple[str, str, str]:
    about = found["metadata"]
    return found["kind"], about.get("namespace", ""), about["name"]


def test_t21_a_secret_has_one_content_for_each_name() -> None:
    one, other = workload(IMAGE, env={"A": "1"}), workload(IMAGE, env={"A": "2"})
    assert config_secret(GROUND, one) == config_secret(GROUND, replace(one, type="worker"))
    assert config_secret(GROUND, one)["metadata"]["name"] != config_secret(GROUND, other)["metadata"]["name"]
    assert config_secret(GROUND, one)["immutable"]


def test_every_pod_is_restricted_and_knows_nothing_of_the_api() -> None:
    spec = manifests.deployment(GROUND, workload(IMAGE, "worker"))["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    (container,) = spec["containers"]
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_a_login_makes_a_pull_secret_for_the_host_that_the_nodes_ask() -> None:
    found = {_place(each)[::2]: each for each in everything(workload(IMAGE), Login("me", Secret("it")))}
    said = json.loads(base64.b64decode(found["Secret", naming.PULL_SECRET]["data"][".dockerconfigjson"]))
    assert said == {"auths": {"registry.example.com": {"username": "me", "password": "it", "auth": "bWU6aXQ="}}}
    assert found["ServiceAccount", naming.ACCOUNT]["imagePullSecrets"] == [{"name": naming.PULL_SECRET}]


def test_apps_reach_public_addresses_and_what_the_operator_allows() -> None:
    ground = replace(GROUND, reach=("10.9.0.0/16",))
    found = [each for each in namespace.objects(ground, 1, "hello", Login()) if each["kind"] == "NetworkPolicy"]
    closed = next(each for each in found if each["metadata"]["name"] == "closed")
    blocks = [each["ipBlock"]["cidr"] for each in closed["spec"]["egress"][1]["to"]]
    assert blocks == ["0.0.0.0/0", "::/0", "10.9.0.0/16"]
    assert "ingress" not in closed["spec"]


def test_an_autoscaler_owns_the_replicas_and_counts_in_shares_of_the_size() -> None:
    asked = workload(IMAGE, autoscale=Autoscale(2, 9, cpu=70, memory=80))
    found = {each["kind"]: each for each in everything(asked)}
    assert "replicas" not in found["Deployment"]["spec"]
    assert found["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    metrics = [each["resource"] for each in found["HorizontalPodAutoscaler"]["spec"]["metrics"]]
    # A tenth of a process's share of the processor is set aside for it, and its memory whole.
    assert [each["target"]["averageUtilization"] for each in metrics] == [700, 80]


def test_a_volume_is_never_in_two_places() -> None:
    asked = workload(IMAGE, "worker", volumes=(Volume("data", "/data", 2048),))
    found = {each["kind"]: each for each in everything(asked)}
    assert found["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}
    assert found["PersistentVolumeClaim"]["spec"]["resources"] == {"requests": {"storage": "2Gi"}}


def test_checks_are_the_kubelets_probes() -> None:
    checks = (
        Check(path="/up", headers=(("X-A", "1"),), attempts=2),
        Check(path="/more", name="more"),
        Check(Kind.LIVENESS, command=("/bin/true",), wait=7, delay=3),
        Check(Kind.READINESS, path="/warn", warn=True),
    )
    found = probes(workload(IMAGE, checks=checks))
    assert found["startupProbe"]["httpGet"] == {
        "path": "/up",
        "port": 8080,
        "httpHeaders": [{"name": "X-A", "value": "1"}],
    }
    assert found["startupProbe"]["failureThreshold"] >= 10 + 15
    assert found["readinessProbe"]["tcpSocket"] == {"port": 8080}
    alive = {"exec": {"command": ["/bin/true"]}, "initialDelaySeconds": 3, "periodSeconds": 7}
    assert found["livenessProbe"] == {**alive, "timeoutSeconds": 5, "failureThreshold": 3}
    assert left_out(workload(IMAGE, checks=checks)) == ["web: only the first startup check is made here, not 'more'"]


def _live(asked: Workload, **notes: str) -> Object:
    """As the cluster has it after its rollout."""
    found: Any = plan(GROUND, asked, None).wanted
    found["metadata"] |= {"generation": 1, "annotations": {**found["metadata"]["annotations"], **notes}}
    done = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
    return {**found, "status": {"observedGeneration": 1, "conditions": [done]}}


def test_what_runs_as_asked_is_not_waited_for_and_not_made_fewer() -> None:
    asked = workload(IMAGE, quantity=3)
    found = plan(GROUND, replace(asked, quantity=2), _live(asked))
    assert (found.waits, found.wanted["spec"]["replicas"]) == (False, 3)
    assert not found.is_new_template


def test_another_version_of_the_platform_restarts_no_app() -> None:
    asked = workload(IMAGE)
    ours = replace(GROUND, drain=9)
    found = plan(ours, asked, _live(asked))
    assert (found.waits, found.is_new_template) == (False, False)
    assert plan(ours, replace(asked, release=2), _live(asked)).is_new_template


@pytest.mark.parametrize(
    ("turns", "again", "template"),
    [
        ({1: Turn(5), 2: Turn(5)}, set(), True),
        ({2: Turn(5)}, {2}, False),
        ({1: Turn(3), 2: Turn(3)}, set(), False),
        ({1: Turn(5), 2: Turn(3)}, {1}, False),
    ],
)
def test_wishes_to_restart_roll_all_or_replace_single_ones_once(
    turns: dict[int, Turn], again: set[int], template: bool
) -> None:
    asked = workload(IMAGE, quantity=2, turns={1: Turn(3), 2: Turn(3)})
    found = plan(GROUND, replace(asked, turns=turns), _live(asked))
    assert (set(found.again), found.is_new_template) == (again, template)
    after = plan(
        GROUND, replace(asked, turns=turns), {**_live(asked), **found.wanted, "status": _live(asked)["status"]}
    )
    assert not after.again
