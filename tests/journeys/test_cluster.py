"""The platform on this machine, its apps on a real Kubernetes: the same push, seen by a user and by kubectl."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.fixtures import cluster, cluster_registry, gateway, local_storage, metrics
from tests.cluster.gateway import Gateway
from tests.cluster.registry import ClusterRegistry
from tests.journeys.harness import App, Platform, eventually, steady_requests

__all__ = ["cluster", "cluster_registry", "gateway", "local_storage", "metrics"]
pytestmark = [pytest.mark.cluster, pytest.mark.engine]


@pytest.fixture(scope="module")
def platform(
    tmp_path_factory: pytest.TempPathFactory,
    cluster: Cluster,
    cluster_registry: ClusterRegistry,
    gateway: Gateway,
    local_storage: str,
) -> Iterator[Platform]:
    """Pushes to the registry under one name; the node pulls under another, with a login."""
    made = Platform.fresh(
        tmp_path_factory.mktemp("platform"),
        runtime="cluster",
        kubeconfig=str(cluster.kubeconfig),
        registry_url=f"http://{cluster_registry.address}",
        registry_pull_url=f"http://{cluster_registry.address_in_pods}",
        registry_username=cluster_registry.user,
        registry_password=cluster_registry.password,
        gateway=f"{gateway.namespace}/{gateway.name}",
        drain_seconds="5",  # each pod that leaves waits for so long, whether anybody asks it or not
        storage_class=local_storage,
        apps_port=gateway.address.rpartition(":")[2],
    )
    made.gateway = gateway.address
    made.up()
    yield made
    made.down()


@pytest.fixture(scope="module")
def app(platform: Platform) -> App:
    app = platform.create("story", "python-hello")
    app.push()
    return app


@pytest.fixture(scope="module")
def place(cluster: Cluster, app: App) -> str:
    """The app's namespace."""
    return of_app(cluster, app.name)[0]


def shown(app: App) -> tuple[int, str]:
    """A gateway that has not heard of any app yet does not even listen; of pods it hears a moment after the cluster does."""
    try:
        return app.get()
    except OSError:
        return 0, ""


def of_app(cluster: Cluster, name: str) -> list[str]:
    selected = f"--selector=app.kubernetes.io/name={name}"
    return cluster.kubectl("get", "namespaces", selected, "--output=jsonpath={.items[*].metadata.name}").split()


def test_doctor_knows_the_cluster_and_no_router_of_ours_runs(platform: Platform) -> None:
    said = platform.wherry("doctor", check=False).out  # a full disk of this machine is no fault of the cluster's
    for answer in (
        "ok    cluster: Kubernetes v1.",
        "ok    scaling by load: ",
        "ok    rights in the cluster: all that are needed",
        "ok    visitors: come through HTTPRoutes of the Gateway",
        "ok    processes: supervisor, logs, terminal, web, worker",
    ):
        assert answer in said
    assert "router" not in [each["name"] for each in json.loads(platform.wherry("status", "--json").out)["processes"]]


def test_a_push_answers_through_the_gateway_and_is_plain_objects(app: App, cluster: Cluster, place: str) -> None:
    eventually(lambda: shown(app)[0] == 200)
    assert "Hello" in app.get()[1]
    found = cluster.kubectl("get", "deployments,services,httproutes", f"--namespace={place}", "--output=name").split()
    assert {"deployment.apps/web", "service/web", "httproute.gateway.networking.k8s.io/web"} <= set(found)


def test_a_second_push_and_a_scale_drop_no_request(app: App) -> None:
    with steady_requests(app, 30) as knocks:
        app.say("Second")
        assert "Released v2" in app.push().all
        eventually(lambda: "Second" in app.get()[1])
        app.wherry("ps:scale", "web=2")
        eventually(lambda: len(json.loads(app.wherry("ps", "--json").out)) == 2)
        app.wherry("ps:scale", "web=1")
        eventually(lambda: len(json.loads(app.wherry("ps", "--json").out)) == 1)
    assert knocks.failures == []
    assert knocks.requests > 20


def test_a_change_of_config_is_a_release_and_a_rollback_brings_the_old_one_back(app: App) -> None:
    eventually(lambda: "Second" in app.get()[1])
    before = app.get()[1]
    app.wherry("config:set", "GREETING=it's $(id) \n {{ two }} lines")
    app.say("Third")
    app.push()
    eventually(lambda: "Third" in app.get()[1])
    app.wherry("releases:rollback", "v2")
    eventually(lambda: app.get()[1] == before)


def test_logs_have_what_processes_write_by_their_names(app: App) -> None:
    app.get("/?look=at-this")
    eventually(lambda: "look=at-this" in app.wherry("logs", "-n", "50", "-p", "web.1").out)


def test_a_one_off_has_the_apps_config_and_gives_its_exit_code(app: App) -> None:
    app.wherry("config:set", "WORD=from the config")
    ran = app.wherry("run", "--no-tty", "--", 'echo "$WORD"; echo trouble >&2; exit 7', check=False)
    assert (ran.code, ran.out) == (7, "from the config\n")
    assert "trouble" in ran.err
    inside = app.wherry("ps:exec", "--no-tty", "--", 'echo "inside $WHERRY_PROCESS"')
    assert inside.out.startswith("inside web.")


def test_maintenance_closes_the_app_and_opens_it_again(app: App) -> None:
    app.wherry("maintenance:on")
    eventually(lambda: app.get()[0] == 503)
    app.wherry("maintenance:off")
    eventually(lambda: app.get()[0] == 200)


@contextmanager
def watched_replicas(cluster: Cluster, place: str) -> Iterator[list[str]]:
    """What anybody sets as the number of web processes while the block runs."""
    argv = [str(cluster.programs / "kube"), "kubectl", "get", "deployment/web", f"--namespace={place}", "--watch"]
    argv += [f"--kubeconfig={cluster.kubeconfig}", "--output=jsonpath={.spec.replicas}{'\\n'}"]
    seen: list[str] = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout
        seen.append(watching.stdout.readline().strip())
        yield seen
        watching.terminate()
        seen += watching.stdout.read().split()


@pytest.mark.usefixtures("metrics")
def test_visitors_make_processes_and_a_deploy_leaves_their_number_alone(app: App, cluster: Cluster, place: str) -> None:
    def count() -> int:
        return len(json.loads(app.wherry("ps", "--json").out))

    app.wherry("ps:autoscale:enable", "web", "--min=1", "--max=2", "--cpu=1")
    with steady_requests(app, 30) as knocks:
        eventually(lambda: count() == 2)
        with watched_replicas(cluster, place) as seen:
            app.say("Under load")
            app.push()
            eventually(lambda: "Under load" in app.get()[1])
    assert (set(seen), len(seen) > 1) == ({"2"}, True)
    assert knocks.failures == []
    eventually(lambda: count() == 1)
    app.wherry("ps:autoscale:disable", "web")
    eventually(lambda: not cluster.kubectl("get", "hpa", f"--namespace={place}", "--output=name"))
    assert (app.wherry("ps:scale").out, count()) == ("web=1:basic\n", 1)


def test_what_is_in_a_volume_outlives_releases_restarts_and_rollbacks(platform: Platform, cluster: Cluster) -> None:
    app = platform.create("keeper", "procfile-only")
    app.write("Procfile", "worker: exec sleep 100000\n")
    app.write("app.json", json.dumps({"formation": {"worker": {"quantity": 1}}}))
    app.commit("Without a volume")
    app.push()
    volume = {"name": "data", "path": "/data", "size_mb": 64}
    app.write("app.json", json.dumps({"volumes": {"worker": [volume]}}))
    app.commit("With a volume")
    assert "Released v2" in app.push().all
    (place,) = of_app(cluster, app.name)

    def inside(command: str) -> str:
        ran = app.wherry("ps:exec", "--dyno=worker.1", "--no-tty", "--", command, check=False)
        return ran.out if ran.code == 0 else f"{ran.code}: {ran.all}"

    def claim() -> str:
        about = "--output=jsonpath={.status.phase} {.metadata.uid} {.spec.volumeName}"
        return cluster.kubectl("get", "pvc/data", f"--namespace={place}", about)

    assert inside("echo kept > /data/word && cat /data/word") == "kept\n"
    before = claim()
    assert before.startswith("Bound ")
    app.wherry("config:set", "WORD=another")
    assert inside('echo "$WORD" && cat /data/word') == "another\nkept\n"
    inside("echo old > /tmp/of-this-pod")
    app.wherry("ps:restart", "worker")
    eventually(lambda: inside("test ! -e /tmp/of-this-pod && cat /data/word") == "kept\n")
    app.wherry("releases:rollback", "v1")
    assert "no volume" in inside("test -e /data || echo no volume")
    assert claim() == before
    app.wherry("releases:rollback", "v2")
    assert (inside("cat /data/word"), claim()) == ("kept\n", before)
    app.wherry("apps:destroy", "--confirm", app.name)
    eventually(lambda: not of_app(cluster, app.name))


FAILURES = {
    "exited": ("web: echo these are my last words; exit 3", "these are my last words"),
    "not-listening": ("web: sleep 600", "does not listen on $PORT"),
    "out-of-memory": ("web: python -c 'a = [bytearray(10**8) for _ in range(99)]'", "512 MiB"),
    "release-phase": ("web: sleep 600\nrelease: echo no table; exit 4", "no table"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_broken_release_is_told_in_its_own_words_and_the_old_one_serves(app: App, kind: str) -> None:
    procfile, words = FAILURES[kind]
    before, (good, _) = app.get()[1], next(each for each in app.history() if each[1] == "succeeded")
    app.write("Procfile", procfile + "\n")
    app.commit(kind)
    said = app.push().all
    assert words in said
    assert f"NOT deployed ({kind})" in said
    assert app.get() == (200, before)
    assert next(each for each in app.history() if each[1] == "succeeded")[0] == good


@contextmanager
def no_registry_for_the_nodes(cluster: Cluster) -> Iterator[None]:
    """Only under the name by which they pull."""
    name = f"registry-{cluster.host_address}"
    cluster.stop(name)
    yield
    program = shutil.which("docker-registry") or shutil.which("registry") or ""
    cluster.spawn(name, [program, "serve", str(cluster.state / f"{name}.yml")], host_network=True)


def test_an_image_that_no_node_can_pull_and_a_size_that_no_node_has_are_told(app: App, cluster: Cluster) -> None:
    before = app.get()[1]
    app.write("Procfile", "web: gunicorn --bind 0.0.0.0:$PORT app:app\n")
    app.say("Never pulled")
    with no_registry_for_the_nodes(cluster):
        assert "NOT deployed (image-pull)" in app.push().all
    assert app.get() == (200, before)
    cluster.kubectl("cordon", "--selector=kubernetes.io/os=linux")
    try:
        said = app.git("commit", "--allow-empty", "-qm", "Nowhere") and app.push().all
    finally:
        cluster.kubectl("uncordon", "--selector=kubernetes.io/os=linux")
    assert "NOT deployed (no-capacity)" in said
    assert "unschedulable" in said
    assert app.get() == (200, before)


def test_a_destroyed_app_leaves_no_object(platform: Platform, cluster: Cluster) -> None:
    app = platform.create("goner", "procfile-only")
    app.push()
    app.wherry("domains:add", "www.goner.example")
    assert of_app(cluster, "goner")
    app.wherry("apps:destroy", "--confirm", "goner")
    eventually(lambda: app.get()[0] == 404)
    eventually(lambda: not of_app(cluster, "goner"))
    routes = json.loads(cluster.kubectl("get", "httproutes", "--all-namespaces", "--output=json"))["items"]
    assert not [each for each in routes if "goner" in json.dumps(each)]


def test_going_down_leaves_the_apps_in_their_cluster(app: App, platform: Platform) -> None:
    assert "go on in their cluster" in platform.wherry("down").all
    assert app.get()[0] == 200
    platform_id = (platform.home / "run" / "platform").read_text().strip()
    left = ("docker", "ps", "--all", "--quiet", "--filter", f"label=wherry.platform={platform_id}")
    assert platform.run(*left).out == ""  # of builds, on this machine
