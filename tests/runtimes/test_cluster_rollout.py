"""Rollouts on a real Kubernetes: how many calls they take, and what happens when they do not work."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from wherry.domain.autoscale import Autoscale
from wherry.domain.errors import PlatformFault, RolloutFailed, RolloutFailure
from wherry.domain.formation import Size
from wherry.domain.health import Check, Kind
from wherry.domain.image import Image, Start
from wherry.domain.restarts import Turn
from wherry.domain.volume import Volume
from wherry.runtimes.cluster import kinds, manifests, namespace, naming, retire
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errands import ClusterRuntime
from wherry.runtimes.cluster.ground import Ground
from wherry.runtimes.cluster.pod_spec import config_secret

from tests.cluster.cluster import Cluster
from tests.runtimes.machine_world import eventually, quiet, workload

pytestmark = [pytest.mark.engine, pytest.mark.cluster]
HOSTILE = "a: b\n---\n{{ x }} $(PORT) ${HOME} \"'\\ \u2028\u0085\x7f\t é 😀\n"
WRITES = ("APPLY", "CREATE", "DELETE", "PATCH")


@contextmanager
def counting(client: Client) -> Iterator[Counter[str]]:
    before, sent = client.sent.copy(), Counter[str]()
    yield sent
    sent.update(client.sent - before)


def _place(ground: Ground) -> str:
    return naming.namespace(ground.platform, 1)


def test_a_deploy_after_the_first_is_three_writes_and_lists_nothing(
    cluster_runtime: ClusterRuntime, cluster_client: Client, cluster_image: Image
) -> None:
    first = workload(cluster_image, quantity=2)
    cluster_runtime.start([first], quiet)
    second = replace(first, release=2)
    with counting(cluster_client) as sent:
        cluster_runtime.start([second], quiet)
        cluster_runtime.processes(1)
        cluster_runtime.retire(1, [second])
    assert {name: sent[name] for name in (*WRITES, "LIST")} == {
        "CREATE": 1,
        "APPLY": 1,
        "DELETE": 1,
        "PATCH": 0,
        "LIST": 0,
    }
    with counting(cluster_client) as sent:
        cluster_runtime.start([second], quiet)
        cluster_runtime.retire(1, [second])
    assert not sum(sent.values())


def test_t21_the_environment_arrives_byte_for_byte(
    cluster_runtime: ClusterRuntime, cluster: Cluster, cluster_ground: Ground, cluster_image: Image
) -> None:
    env = {"MODE": "env", "HOSTILE": HOSTILE, "HOME": "/elsewhere"}
    cluster_runtime.start([workload(cluster_image, "worker", env=env)], quiet)
    seen = cluster.kubectl("exec", "-n", _place(cluster_ground), "deploy/worker", "--", "cat", "/workspace/environ")
    found = dict(each.partition("=")[::2] for each in seen.split("\0") if each)
    assert {name: found[name] for name in env} == env
    assert found["DYNO"].startswith("worker.worker-")
    assert not [name for name in found if name.startswith("WEB_")]


def test_the_server_takes_every_object_that_we_can_ask_for(
    cluster_client: Client, cluster_ground: Ground, cluster: Cluster
) -> None:
    asked = workload(
        Image("apps/1", "sha256:" + "0" * 64, {"web": HOSTILE}),
        env={"HOSTILE": HOSTILE},
        start=Start(("/bin/sh", "-c", HOSTILE), "1000:1000"),
        volumes=(Volume("data", "/data", 1536),),
        autoscale=Autoscale(2, 5, cpu=70, memory=80, requests=100),
    )
    from wherry.logins import Login

    around, made = namespace.objects(cluster_ground, 1, "hello", Login()), []
    cluster_client.apply(around[0])
    for each in [*around, config_secret(cluster_ground, asked), *manifests.around(cluster_ground, asked)]:
        made.append(cluster_client.apply(each, dry_run=True))
    found = cluster_client.apply(manifests.deployment(cluster_ground, asked), dry_run=True)
    assert found["spec"]["template"]["spec"]["containers"][0]["command"] == ["/bin/sh", "-c", HOSTILE]
    assert {each["kind"] for each in made} >= {"PersistentVolumeClaim", "HorizontalPodAutoscaler", "NetworkPolicy"}


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"image": Image("apps/1", "sha256:" + "0" * 64)}, RolloutFailure.IMAGE_PULL, "not found"),
        ({"size": Size("vast", 1 << 22, 1000)}, RolloutFailure.NO_CAPACITY, "Insufficient memory"),
        ({"start": Start(("/cnb/process/web",), "0")}, RolloutFailure.REFUSED, "runAsUser=0"),
        ({"start": Start(("/no/such/program",))}, RolloutFailure.EXITED, "no such file"),
    ],
)
def test_a_failure_is_told_in_the_clusters_own_words_and_the_old_release_stays(
    cluster_runtime: ClusterRuntime,
    cluster_image: Image,
    changes: dict[str, object],
    kind: RolloutFailure,
    said: str,
) -> None:
    cluster_runtime.start([workload(cluster_image)], quiet)
    before = cluster_runtime.processes()
    with pytest.raises(RolloutFailed) as caught:
        cluster_runtime.start([workload(**{"image": cluster_image, "release": 2, **changes})], quiet)  # type: ignore
    assert caught.value.kind is kind
    assert said in " ".join(caught.value.lines())
    assert cluster_runtime.processes() == before


def test_a30_a_quota_and_an_admission_policy_fail_the_release_and_the_old_one_stays(
    cluster_runtime: ClusterRuntime, cluster: Cluster, cluster_ground: Ground, cluster_image: Image
) -> None:
    cluster_runtime.start([workload(cluster_image)], quiet)
    before = cluster_runtime.processes()
    cluster.kubectl("create", "quota", "tight", "--hard=pods=1", "-n", _place(cluster_ground))
    used = ("get", "quota", "tight", "-n", _place(cluster_ground), "--output=jsonpath={.status.used.pods}")
    eventually(lambda: cluster.kubectl(*used) == "1")
    with pytest.raises(RolloutFailed, match="no room") as caught:
        cluster_runtime.start([workload(cluster_image, release=2)], quiet)
    assert caught.value.kind is RolloutFailure.NO_CAPACITY
    assert "exceeded quota: tight" in caught.value.evidence[0]
    assert cluster_runtime.processes() == before
    with _policy(cluster, cluster_ground), pytest.raises(RolloutFailed) as caught:
        eventually(lambda: cluster_runtime.start([workload(cluster_image, release=3)], quiet))
    assert caught.value.kind is RolloutFailure.REFUSED
    assert "no third release here" in " ".join(caught.value.evidence)
    assert cluster_runtime.processes() == before


@contextmanager
def _policy(cluster: Cluster, ground: Ground) -> Iterator[None]:
    """An admission policy that refuses Deployments of release 3 of this platform."""
    rules = [
        {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}
    ]
    mine = {"matchLabels": {naming.PLATFORM: ground.platform}}
    refuses = "object.metadata.labels['app.kubernetes.io/version'] != 'v3'"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": ground.platform},
        "spec": {
            "matchConstraints": {"resourceRules": rules, "namespaceSelector": mine},
            "validations": [{"expression": refuses, "message": "no third release here"}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": ground.platform},
        "spec": {"policyName": ground.platform, "validationActions": ["Deny"]},
    }
    cluster.kubectl(
        "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [policy, binding]})
    )
    place = _place(ground)
    try:
        # The server takes a moment until it uses one.
        eventually(lambda: "no third" in _tried(cluster, place))
        yield
    finally:
        cluster.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", ground.platform)


def _tried(cluster: Cluster, place: str) -> str:
    try:
        argv = ["label", "deploy/web", "-n", place, "app.kubernetes.io/version=v3", "--overwrite", "--dry-run=server"]
        return cluster.kubectl(*argv)
    except Exception as error:
        return str(error)


def test_a31_what_others_change_or_delete_is_noticed_and_repaired(
    cluster_runtime: ClusterRuntime, cluster: Cluster, cluster_ground: Ground, cluster_image: Image
) -> None:
    asked = [workload(cluster_image)]
    cluster_runtime.start(asked, quiet)
    heard = threading.Semaphore(0)
    told: list[int] = []

    def converge(app_id: int) -> None:
        told.append(app_id)
        cluster_runtime.start(asked, quiet)
        cluster_runtime.retire(1, asked)
        heard.release()

    threading.Thread(target=cluster_runtime.watch, args=(converge,), daemon=True).start()
    eventually(lambda: "watch" in str(threading.enumerate()))
    place = _place(cluster_ground)
    vandalism = [
        (["set", "env", "deploy/web", "PORT=1", "-n", place], "deploy/web", "8080"),
        (["delete", "service", "web", "-n", place], "service/web", "targetPort: 8080"),
        (["delete", "networkpolicy", "closed", "-n", place], "networkpolicy/closed", "Egress"),
        (["scale", "deploy/web", "--replicas=3", "-n", place], "deploy/web", "\n  replicas: 1\n"),
        (
            ["label", "namespace", place, "pod-security.kubernetes.io/enforce-"],
            f"namespace/{place}",
            "enforce: restricted",
        ),
    ]
    for argv, name, sign in vandalism:
        cluster.kubectl(*argv)
        assert heard.acquire(timeout=30), argv
        eventually(lambda name=name, sign=sign: sign in _yaml(cluster, place, name))  # type: ignore
    assert set(told) == {1}


def _yaml(cluster: Cluster, place: str, name: str) -> str:
    try:
        return cluster.kubectl("get", name, "-n", place, "-o", "yaml")
    except Exception as error:
        return str(error)


def test_the_replicas_of_an_autoscaler_are_its_own(
    cluster_runtime: ClusterRuntime, cluster: Cluster, cluster_ground: Ground, cluster_image: Image
) -> None:
    cluster_runtime.start([workload(cluster_image, quantity=2)], quiet)
    asked = workload(cluster_image, release=2, autoscale=Autoscale(1, 5, cpu=70))
    cluster_runtime.start([asked], quiet)
    cluster_runtime.retire(1, [asked])
    assert len(cluster_runtime.processes(1)) == 2  # as many as there were, until the autoscaler says otherwise
    cluster.kubectl("scale", "deploy/web", "--replicas=3", "-n", _place(cluster_ground))
    eventually(lambda: len(cluster_runtime.processes(1)) == 3)
    broken = workload(cluster_image, release=3, env={"MODE": "exits"}, autoscale=Autoscale(1, 5, cpu=70))
    with pytest.raises(RolloutFailed):
        cluster_runtime.start([broken], quiet)
    eventually(lambda: [each.release for each in cluster_runtime.processes(1)] == [2, 2, 2])
    newer = replace(asked, release=4)
    cluster_runtime.start([newer], quiet)
    cluster_runtime.retire(1, [newer])
    assert [each.release for each in cluster_runtime.processes(1)] == [4, 4, 4]
    before = _staying(cluster, cluster_ground)
    cluster_runtime.start([replace(newer, turns={2: Turn(1)})], quiet)  # beyond the bounds' least, and only that one
    after = _staying(cluster, cluster_ground)
    assert (len(before & after), len(after)) == (2, 3)


def _staying(cluster: Cluster, ground: Ground) -> set[str]:
    found = json.loads(cluster.kubectl("get", "pods", "-n", _place(ground), "-o", "json"))["items"]
    return {each["metadata"]["name"] for each in found if "deletionTimestamp" not in each["metadata"]}


def test_a_start_that_was_cut_off_is_taken_up_and_goes_back_all_the_same(
    cluster_runtime: ClusterRuntime, cluster_client: Client, cluster_ground: Ground, cluster_image: Image
) -> None:
    cluster_runtime.start([workload(cluster_image)], quiet)
    before = cluster_runtime.processes()
    broken = workload(cluster_image, release=2, env={"MODE": "exits"})
    cluster_client.create(config_secret(cluster_ground, broken))
    cluster_client.apply(manifests.deployment(cluster_ground, broken))
    again = ClusterRuntime(cluster_client, cluster_ground)
    try:
        with pytest.raises(RolloutFailed, match="exited with code 3"):
            again.start([broken], quiet)
    finally:
        again.close()
    eventually(lambda: cluster_runtime.processes() == before)
    live = cluster_client.get(kinds.DEPLOYMENT, _place(cluster_ground), "web")
    assert live["metadata"]["labels"][naming.RELEASE] == "1"


def test_an_app_that_is_destroyed_takes_its_namespace_with_it(
    cluster_runtime: ClusterRuntime, cluster_client: Client, cluster_ground: Ground, cluster_image: Image
) -> None:
    cluster_runtime.start([workload(cluster_image, "worker")], quiet)
    cluster_runtime.retire(1, (), runs=True)
    cluster_runtime.retire(1, (), runs=True)
    found, _ = cluster_client.list(kinds.NAMESPACE, labels=naming.of_platform(cluster_ground.platform))
    assert found == []


def test_a31_a_namespace_that_does_not_go_is_told_and_nothing_begins_in_it(
    cluster_runtime: ClusterRuntime,
    cluster: Cluster,
    cluster_ground: Ground,
    cluster_image: Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, place = workload(cluster_image, "worker"), _place(cluster_ground)
    cluster_runtime.start([asked], quiet)
    cluster.kubectl("create", "configmap", "held", "-n", place)
    patch = '{"metadata": {"finalizers": ["example.org/held"]}}'
    cluster.kubectl("patch", "configmap", "held", "-n", place, "-p", patch)
    monkeypatch.setattr(retire, "NAMESPACE_GONE", 12.0)
    try:
        with pytest.raises(PlatformFault, match="does not go away") as caught:
            cluster_runtime.retire(1, (), runs=True)
        assert "example.org/held" in " ".join(caught.value.evidence)
        with pytest.raises(PlatformFault, match="is being deleted"):
            cluster_runtime.start([asked], quiet)
    finally:
        cluster.kubectl("patch", "configmap", "held", "-n", place, "-p", '{"metadata": {"finalizers": null}}')


def test_a_process_that_a_node_restarted_for_its_health_is_told_of(
    cluster_runtime: ClusterRuntime, cluster_image: Image
) -> None:
    stop, told = threading.Event(), list[tuple[int, str, str]]()
    unwell = Check(Kind.LIVENESS, command=("/bin/false",), attempts=2, wait=1)
    cluster_runtime.start([workload(cluster_image, "worker", checks=(unwell,))], quiet)
    looking = threading.Thread(target=cluster_runtime.look_after, args=(stop, lambda *said: told.append(said)))
    looking.start()
    try:
        eventually(lambda: told, 60)
    finally:
        stop.set()
        looking.join()
    assert told[0][:2] == (1, "worker.1")
    assert "Liveness probe failed" in told[0][2]
