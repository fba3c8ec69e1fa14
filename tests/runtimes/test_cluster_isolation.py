"""T20, T15, T21: what pods of apps and builds reach and may not, tried from inside on a real Kubernetes.

Two apps, a build and a stranger, each made once for all tests of this file; the stranger, whom no policy of ours holds,
shows that there is something to reach.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
import requests
from wherry.domain.image import Image
from wherry.domain.secret import Secret
from wherry.domain.workload import AppRoute, Endpoint
from wherry.flow.pod_ports import BuildPod, Caps
from wherry.logins import FixedLogin, Login
from wherry.runtimes.cluster import build_manifests, naming
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errands import ClusterRuntime
from wherry.runtimes.cluster.ground import Ground, Pulls
from wherry.runtimes.cluster.router import ClusterRouter

from tests.cluster import app
from tests.cluster.cluster import Cluster
from tests.cluster.components import API_SERVICE
from tests.cluster.errors import ClusterFailed
from tests.cluster.fixtures import PLATFORM_LABEL
from tests.cluster.gateway import Gateway
from tests.cluster.registry import ClusterRegistry
from tests.runtimes.machine_world import eventually, quiet, workload

pytestmark = [pytest.mark.cluster, pytest.mark.engine]
METADATA = "169.254.169.254"
HOSTILE = "a: b\n---\nkind: Pod\nspec: {hostNetwork: true}\n{{ .Values.x }} $(PORT) ${HOME} \"'\\ \u2028"
_PROBE = """for each in "$@"; do
  (printf 'x\\n\\n' | nc -w 3 ${each%:*} ${each##*:} >/dev/null 2>&1 && echo $each) &
done; wait"""
Place = tuple[str, str]
"""A namespace, and a pod in it as kubectl names it."""


@dataclass(frozen=True)
class World:
    cluster: Cluster
    ground: Ground
    hello: Place
    other: Place
    build: Place
    stranger: Place
    targets: Mapping[str, str]
    """What there is to reach: its name, and HOST:PORT."""

    def reached(self, place: Place) -> set[str]:
        """Names of the targets that answer to a pod."""
        argv = ["-c", "app"] if place is not self.build else ["-c", build_manifests.BUILDING]
        namespace, pod = place
        said = self.cluster.kubectl(
            "exec", "-n", namespace, pod, *argv, "--", "sh", "-c", _PROBE, "sh", *self.targets.values()
        )
        return {name for name, target in self.targets.items() if target in said.split()}


@pytest.fixture(scope="module")
def ground(cluster: Cluster, cluster_registry: ClusterRegistry) -> Iterator[Ground]:
    platform = f"t{secrets.token_hex(5)}"
    login = FixedLogin(Login(cluster_registry.user, Secret(cluster_registry.password)))
    yield Ground(platform, Pulls(cluster_registry.address, login), drain=1)
    cluster.kubectl("delete", "namespace", f"--selector={PLATFORM_LABEL}={platform}", "--wait=false")


@pytest.fixture(scope="module")
def apps(cluster: Cluster, ground: Ground, cluster_image: Image) -> Iterator[ClusterRuntime]:
    """App 1, `hello`, whose texts are hostile, and app 2."""
    runtime = ClusterRuntime(Client(str(cluster.kubeconfig)), ground)
    hostile = Image(cluster_image.repository, cluster_image.digest, {**cluster_image.processes, "web": HOSTILE})
    runtime.start([workload(hostile, env={"WORD": "from hello", "HOSTILE": HOSTILE})], quiet)
    runtime.start([workload(cluster_image, app_id=2, app_name="other", env={"WORD": "from other"})], quiet)
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def outside(cluster: Cluster) -> Iterator[str]:
    """A public address (of those for documentation, RFC 5737) where something listens, and the metadata address too."""
    public = f"203.0.113.{cluster.slot.number + 1}"
    on_node = ["ip", "address", "add", f"{METADATA}/32", "dev", "lo"]
    cluster.enclosure.run(*on_node)
    cluster.enclosure.run("ip", "address", "add", f"{public}/32", "dev", "lo")
    cluster.spawn("outside", [sys.executable, "-m", "http.server", "--directory", "/sys/class/net", "8099"])
    yield public
    cluster.stop("outside")
    cluster.enclosure.run("ip", "address", "del", f"{METADATA}/32", "dev", "lo")
    cluster.enclosure.run("ip", "address", "del", f"{public}/32", "dev", "lo")


@pytest.fixture(scope="module")
def image(ground: Ground, cluster_image: Image) -> str:
    """As the node pulls it."""
    return ground.pulls.reference(cluster_image.repository, cluster_image.digest)


@pytest.fixture(scope="module")
def stranger(cluster: Cluster, cluster_registry: ClusterRegistry, image: str, outside: str) -> Iterator[Place]:
    """A pod that listens, as the platform's own do, in a namespace that is no app's; and a name for `outside`."""
    namespace = f"t{secrets.token_hex(5)}"
    cluster.kubectl("create", "namespace", namespace)
    login = [f"--docker-username={cluster_registry.user}", f"--docker-password={cluster_registry.password}"]
    cluster.kubectl(
        *("create", "secret", "docker-registry", "pull", f"--namespace={namespace}"),
        *(f"--docker-server={cluster_registry.address}", *login),
    )
    # The cluster makes it a moment after the namespace, and takes no pod before.
    cluster.kubectl("wait", "--for=create", "serviceaccount/default", f"--namespace={namespace}", "--timeout=60s")
    named = {"name": "outside", "namespace": namespace}
    app.apply(
        cluster,
        _pod(namespace, "stranger", image),
        {"apiVersion": "v1", "kind": "Service", "metadata": named, "spec": {"clusterIP": "None", "ports": [_PORT]}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**named, "labels": {"kubernetes.io/service-name": "outside"}},
            "addressType": "IPv4",
            "ports": [_PORT],
            "endpoints": [{"addresses": [outside]}],
        },
    )
    cluster.kubectl("wait", "--for=condition=Ready", "pod/stranger", f"--namespace={namespace}", "--timeout=60s")
    yield namespace, "pod/stranger"
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture(scope="module")
def build(cluster: Cluster, ground: Ground, cluster_registry: ClusterRegistry, image: str) -> Place:
    """A build's pod as its Job says, but for its programs, which wait."""
    namespace = build_manifests.namespace_name(ground.platform)
    asked = BuildPod(1, 1, 1, image, image, "1001:1000", {}, {}, Caps(memory=32, cpu=500, disk=64))
    template = build_manifests.job(ground.platform, asked)["spec"]["template"]
    (fetch,), containers = template["spec"]["initContainers"], template["spec"]["containers"]
    fetch["command"] = ["mkdir", "-p", f"{fetch['volumeMounts'][0]['mountPath']}/channel/inside"]
    for each in containers:
        each["command"] = ["sleep", "1000"]
    for each in (fetch, *containers):
        each["resources"] = {}
    about = {**template["metadata"], "name": "build", "namespace": namespace}
    name = build_manifests.job_name(1, 1)
    inputs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}}
    rules = build_manifests.registry_rules(f"http://{cluster_registry.address_in_pods}")
    login = Login(cluster_registry.user, Secret(cluster_registry.password))
    app.apply(
        cluster,
        *build_manifests.surroundings(ground.platform, rules, []),
        build_manifests.pull_secret(ground.platform, cluster_registry.address, login),
        inputs,
        {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": template["spec"]},
    )
    cluster.kubectl("wait", "--for=condition=Ready", "pod/build", f"--namespace={namespace}", "--timeout=60s")
    return namespace, "pod/build"


@pytest.fixture(scope="module")
def world(
    cluster: Cluster,
    ground: Ground,
    apps: ClusterRuntime,
    build: Place,
    stranger: Place,
    outside: str,
    cluster_registry: ClusterRegistry,
) -> World:
    one, two = (naming.namespace(ground.platform, each) for each in (1, 2))
    node, server = cluster.node_address, cluster.place.server.rpartition(":")[2]
    by_service = cluster.kubectl("get", "service", "web", "-n", two, "-o=jsonpath={.spec.clusterIP}")
    targets = {
        "the other app's pod": f"{_address(cluster, two, 'web')}:{naming.PORT}",
        "the other app's Service": f"{by_service}:80",
        "the other app by its name": f"web.{two}.svc.cluster.local:80",
        "the API server's Service": f"{API_SERVICE}:443",
        "the API server by its name": "kubernetes.default.svc.cluster.local:443",
        "the API server": f"{node}:{server}",
        "the node's kubelet": f"{node}:10250",
        "the metadata address": f"{METADATA}:8099",
        "the platform's pod": f"{_address(cluster, stranger[0])}:{naming.PORT}",
        "the registry": cluster_registry.address_in_pods,
        "a public address": f"{outside}:8099",
        "a public name": f"outside.{stranger[0]}.svc.cluster.local:8099",
    }
    return World(cluster, ground, (one, "deploy/web"), (two, "deploy/web"), build, stranger, targets)


PUBLIC = {"a public address", "a public name"}


def test_t20_an_app_reaches_names_and_public_addresses_and_nothing_of_the_cluster(world: World) -> None:
    eventually(lambda: world.reached(world.stranger) == set(world.targets))
    eventually(lambda: world.reached(world.hello) == PUBLIC)


def test_t15_a_build_reaches_names_public_addresses_and_the_registry_and_no_more(world: World) -> None:
    eventually(lambda: world.reached(world.build) == {*PUBLIC, "the registry"})


def test_t20_visitors_come_through_the_gateway_to_each_app(world: World, gateway: Gateway) -> None:
    router = ClusterRouter(
        Client(str(world.cluster.kubeconfig)),
        world.ground.platform,
        "t20.example",
        f"{gateway.namespace}/{gateway.name}",
    )
    for app_id, name in ((1, "hello"), (2, "other")):
        address = _address(world.cluster, naming.namespace(world.ground.platform, app_id), "web")
        router.publish(AppRoute(app_id, (name,), 1, (Endpoint(address, naming.PORT),)))
    for name in ("hello", "other"):
        eventually(lambda name=name: f"from {name}" in _visit(gateway, f"{name}.t20.example"))  # type: ignore[misc]
    router.replace([])


def test_t20_nothing_in_an_apps_pod_may_speak_to_the_cluster_and_nothing_of_a_node_can_be_had(world: World) -> None:
    namespace, pod = world.hello
    look = "ls /var/run/secrets/kubernetes.io 2>&1; env; id"
    said = world.cluster.kubectl("exec", "-n", namespace, pod, "--", "sh", "-c", look)
    assert "token" not in said
    assert "SERVICE_HOST" not in said.replace("KUBERNETES_SERVICE_HOST", "")
    assert "uid=1001" in said
    image = world.cluster.kubectl("get", pod, "-n", namespace, "-o=jsonpath={.spec.template.spec.containers[0].image}")
    for wanted in (
        {"hostNetwork": True},
        {"hostPID": True},
        {"volumes": [{"name": "root", "hostPath": {"path": "/"}}]},
        {"securityContext": {"runAsUser": 0, "runAsNonRoot": False}},
    ):
        bad = _pod(namespace, "bad", image)
        bad["spec"] |= wanted  # type: ignore[operator]
        with pytest.raises(ClusterFailed, match="violates PodSecurity"):
            world.cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(bad))
    with pytest.raises(ClusterFailed, match="exceeded quota"):
        world.cluster.kubectl("create", "service", "nodeport", "door", "--tcp=80:8080", "-n", namespace)


def test_t21_hostile_texts_make_no_object_and_arrive_as_they_are(world: World) -> None:
    def made(place: Place) -> list[tuple[str, int]]:
        kinds = "pods,deployments,services,secrets,networkpolicies,jobs,configmaps,serviceaccounts,resourcequotas"
        found = json.loads(world.cluster.kubectl("get", kinds, "-n", place[0], "-o", "json"))["items"]
        each_kind = [each["kind"] for each in found]
        return sorted((kind, each_kind.count(kind)) for kind in set(each_kind))

    assert made(world.hello) == made(world.other)
    namespace, pod = world.hello
    seen = world.cluster.kubectl("exec", "-n", namespace, pod, "--", "sh", "-c", 'printf %s "$HOSTILE"')
    assert seen == HOSTILE


_PORT = {"name": "http", "port": 8099}


def _address(cluster: Cluster, namespace: str, process: str = "") -> str:
    chosen = [f"--selector={naming.PROCESS}={process}"] if process else []
    return cluster.kubectl("get", "pods", "-n", namespace, *chosen, "-o=jsonpath={.items[0].status.podIP}")


def _visit(gateway: Gateway, host: str) -> str:
    try:
        return requests.get(f"http://{gateway.address}/", headers={"Host": host}, timeout=10).text
    except requests.ConnectionError:  # a gateway without any route does not even listen
        return ""


def _pod(namespace: str, name: str, image: str) -> dict[str, object]:
    container = {
        "name": "app",
        "image": image,
        "command": ["httpd", "-f", "-p", str(naming.PORT)],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    safe = {"runAsNonRoot": True, "runAsUser": 1001, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "securityContext": safe, "imagePullSecrets": [{"name": "pull"}]}
    about = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": {**spec, "terminationGracePeriodSeconds": 1}}
