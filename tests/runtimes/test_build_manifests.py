"""A build's Job as a value: who sees what, and with which rights."""

from __future__ import annotations

import json

from wherry.domain.errors import BuildFailed, BuildFailure, PlatformFault
from wherry.domain.secret import Secret
from wherry.flow.pod_ports import BuildPod, Caps
from wherry.logins import Login
from wherry.runtimes.cluster import build_manifests as manifests
from wherry.runtimes.cluster import build_verdict as verdict

POD = BuildPod(
    7,
    3,
    2,
    "registry.test/platform@sha256:1",
    "registry.test/stack/build@sha256:2",
    "1000:1001",
    {"input.json": b"canary"},
    {"/workspace": ("home/builds/yard/app", False), "/platform": ("home/builds/yard/platform", True)},
    Caps(memory=512, seconds=60),
)


def job() -> dict[str, object]:
    made: dict[str, object] = json.loads(json.dumps(manifests.job("abc", POD)))
    return made


def spec() -> dict[str, object]:
    found: dict[str, object] = job()["spec"]["template"]["spec"]  # type: ignore[index,call-overload]
    return found


def containers() -> dict[str, dict[str, object]]:
    pod = spec()
    return {each["name"]: each for each in (*pod["initContainers"], *pod["containers"])}  # type: ignore[misc,index]


def test_t13_the_build_sees_its_folders_and_no_login() -> None:
    build = containers()["build"]
    assert "env" not in build
    assert "envFrom" not in build
    places = {
        each["mountPath"]: (each["name"], each.get("subPath"), each.get("readOnly", False))
        for each in build["volumeMounts"]
    }  # type: ignore[attr-defined]
    assert places == {
        "/run/wherry": ("ground", "channel/inside", True),
        "/workspace": ("ground", "home/builds/yard/app", False),
        "/platform": ("ground", "home/builds/yard/platform", True),
        "/tmp": ("build-tmp", None, False),
        "/var/tmp": ("build-var-tmp", None, False),
    }
    assert "canary" not in json.dumps(job())


def test_t15_nothing_in_the_pod_may_speak_to_the_cluster() -> None:
    pod = spec()
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    (_, account, policy) = manifests.surroundings("abc", [], ["10.9.0.0/16"])
    assert account["automountServiceAccountToken"] is False
    rules = policy["spec"]
    assert rules["podSelector"] == {}
    assert rules["ingress"] == []
    names, addresses = rules["egress"]
    assert [each["port"] for each in names["ports"]] == [53, 53]
    blocks = {each["ipBlock"]["cidr"]: each["ipBlock"].get("except", []) for each in addresses["to"]}
    assert set(blocks) == {"0.0.0.0/0", "::/0", "10.9.0.0/16"}
    assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} <= set(blocks["0.0.0.0/0"])
    assert {"fc00::/7", "fe80::/10"} <= set(blocks["::/0"])


def test_t12_every_container_is_restricted_and_capped() -> None:
    for each in containers().values():
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(each["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}  # type: ignore[index]
    assert containers()["build"]["resources"]["limits"]["memory"] == "512Mi"  # type: ignore[index]
    assert spec()["securityContext"]["runAsNonRoot"] is True  # type: ignore[index]
    namespace = manifests.surroundings("abc", [], [])[0]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_registry_inside_the_cluster_is_the_one_place_in_there_that_a_build_may_reach() -> None:
    (service,) = manifests.registry_rules("http://wherry-registry.wherry.svc.cluster.local:5000")
    assert service["to"][0]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "wherry"}}
    assert service["to"][0]["podSelector"] == {"matchLabels": {"app.kubernetes.io/component": "registry"}}
    (address,) = manifests.registry_rules("http://10.0.0.5:5000/team")
    assert address == {"to": [{"ipBlock": {"cidr": "10.0.0.5/32"}}], "ports": [{"protocol": "TCP", "port": 5000}]}
    assert manifests.registry_rules("https://ghcr.io/team") == []


def test_the_login_of_nodes_and_the_inputs_are_secrets_that_go_with_what_needs_them() -> None:
    login = manifests.pull_secret("abc", "docker.io", Login("me", Secret("pass")))
    assert login["type"] == "kubernetes.io/dockerconfigjson"
    made = manifests.inputs("abc", POD, {"metadata": {"name": "build-3-2", "uid": "u"}})
    assert made["immutable"] is True
    assert made["metadata"]["ownerReferences"][0]["uid"] == "u"


def state(container: str, **states: object) -> dict[str, object]:
    return {"status": {"phase": "Failed", "containerStatuses": [{"name": container, "state": states}]}}


def test_a11_what_the_cluster_says_of_an_end_becomes_a_class_of_failure() -> None:
    over = state("build", terminated={"reason": "OOMKilled", "exitCode": 137})
    late = {"status": {"phase": "Failed", "reason": "DeadlineExceeded", "message": "was active on the node longer"}}
    full = {"status": {"reason": "Evicted", "message": "Pod ephemeral local storage usage exceeds the total limit"}}
    node = {"status": {"reason": "Evicted", "message": "The node was low on resource: memory."}}
    lost = {"status": {"phase": "Failed", "reason": "NodeLost", "message": "Node n1 is gone"}}
    kinds = [getattr(verdict.of(each, POD.caps), "kind", None) for each in (over, late, full)]
    assert kinds == [BuildFailure.OUT_OF_MEMORY, BuildFailure.OUT_OF_TIME, BuildFailure.BUILDPACK_FAILED]
    assert "512 MiB" in str(verdict.of(over, POD.caps))
    for each in (node, lost, None, state("export", terminated={"reason": "OOMKilled"})):
        assert isinstance(verdict.of(each, POD.caps), PlatformFault)
    assert verdict.of(state("build", terminated={"reason": "Error", "exitCode": 1}), POD.caps) is None
    assert not isinstance(verdict.of(node, POD.caps), BuildFailed)


def test_what_a_pod_waits_for_is_told_in_the_clusters_own_words() -> None:
    waits = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: no memory"}
    room = verdict.lack({"status": {"phase": "Pending", "conditions": [waits]}})
    assert room == verdict.Lack(verdict.Want.ROOM, "0/1 nodes: no memory")
    pull = verdict.lack(state("fetch", waiting={"reason": "ImagePullBackOff", "message": "Back-off \x1b[31m"}))
    assert pull
    assert pull.want is verdict.Want.IMAGE
    assert "\x1b" not in pull.words
    assert verdict.lack(state("fetch", waiting={"reason": "PodInitializing"})) is None
