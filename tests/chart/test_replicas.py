"""Two equal pods of the platform in a cluster: whichever dies or is replaced, pushes, logs, the API and the apps go on."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.chart import newer
from tests.chart.gate import Gate, gate_at
from tests.chart.installed import Installed, logins, made_volume, usual
from tests.chart.replicas import Door, Replicas, answers, following
from tests.cluster.cluster import Cluster
from tests.cluster.gateway import Gateway
from tests.cluster.registry import ClusterRegistry
from tests.journeys.harness import App, Platform, eventually, steady_requests
from tests.ledger.databases import Server, server_at

pytestmark = [pytest.mark.engine, pytest.mark.postgres, pytest.mark.timeout(1200)]
LEASE = 5


@pytest.fixture(scope="module")
def postgres(cluster: Cluster) -> Iterator[Server]:
    server = server_at(cluster.host_address)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def gate(cluster: Cluster) -> Iterator[Gate]:
    with gate_at(cluster.host_address) as gate:
        yield gate


@pytest.fixture(scope="module")
def replicas(
    cluster: Cluster,
    published: dict[str, Any],
    cluster_registry: ClusterRegistry,
    gateway: Gateway,
    postgres: Server,
    helm: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Replicas]:
    name = f"t{secrets.token_hex(5)}"
    cluster.kubectl("create", "namespace", name)
    volume = made_volume(cluster, name)
    database = postgres.new(migrated=False)
    door = Door(cluster, name)
    door.make()
    logins(cluster, name, cluster_registry)
    url = postgres.url_from_afar(database)
    door.kubectl("create", "secret", "generic", "database", f"--from-literal=url={url}")
    port = gateway.address.rpartition(":")[2]
    values = {
        **usual(published, cluster_registry, volume),
        "replicas": 2,
        "publicUrl": door.url,
        "apps": {"gateway": f"{gateway.namespace}/{gateway.name}", "port": port},
        "database": {"existingSecret": "database"},
        "persistence": {"selector": volume.selector, "accessMode": "ReadWriteMany"},
        "settings": {"WHERRY_LEASE_SECONDS": str(LEASE), "WHERRY_BUILD_NETWORKS": f"{cluster.host_address}/32"},
    }
    folder = tmp_path_factory.mktemp("replicas")
    installed = Installed(cluster, name, folder, values, pod="deployment/wherry")
    installed.helm(helm, "install", "--wait", "--timeout", "4m")
    eventually(lambda: answers(f"{door.url}/health/ready"))
    settings = {"WHERRY_API_URL": door.url, "WHERRY_API_KEY": installed.inside("auth:token")}
    user = folder / "user"
    user.mkdir()
    yield Replicas(installed, door, Platform(folder / "none", user, settings, gateway=gateway.address), database)
    cluster.kubectl("delete", "namespace", f"--selector=wherry.dev/platform={installed.platform_id}", "--wait=false")
    cluster.kubectl("delete", "namespace", name, "--wait=false")
    cluster.kubectl("delete", "persistentvolume", volume.name, "--wait=false")
    shutil.rmtree(volume.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def steady(replicas: Replicas) -> App:
    """An app that serves all the time."""
    app = replicas.platform.create("steady", "procfile-only")
    app.push()
    eventually(lambda: serves(app))
    return app


def serves(app: App) -> bool:
    """A gateway hears of a route a moment after it is written."""
    try:
        return app.get()[0] == 200
    except OSError:
        return False


def test_a47_the_pod_that_builds_a_push_dies_and_the_push_completes(
    replicas: Replicas, steady: App, gate: Gate
) -> None:
    with steady_requests(steady, 20) as knocks:
        upload = replicas.platform.create("upload", "procfile-only")
        gate.hold(upload)
        upload.wherry("builds:create", "--no-wait")
        gate.await_build(upload)
        survivor = replicas.holder(upload)
        (other,) = replicas.pods - {survivor}
        replicas.door.leads_to(survivor)
        pushed = replicas.platform.create("pushed", "procfile-only")
        gate.hold(pushed)
        with pushed.start_push() as push:
            gate.await_build(pushed)
            assert replicas.holder(pushed) == other  # the survivor builds one already
            replicas.kill(other)
            gate.open(upload)
            eventually(lambda: replicas.holder(pushed) not in ("", other))
            gate.open(pushed)
            said = push.communicate(timeout=240)[0]
        assert push.returncode == 0, f"{said}\n{replicas.installed.evidence()}"
        assert "Released v1" in said
        eventually(lambda: serves(pushed))
        eventually(lambda: upload.history() == [(1, "succeeded")])
        eventually(lambda: serves(upload))
    replicas.door.leads_to_all()
    assert pushed.history() == [(1, "succeeded")]
    assert [replicas.rollouts(each) for each in (pushed, upload)] == [1, 1]
    assert knocks.failures == []
    eventually(lambda: replicas.ask("SELECT count(*) FROM jobs WHERE worker LIKE %s", f"%{other}") == [(0,)])
    replicas.installed.rolled_out()


def test_a_pod_that_is_asked_to_go_breaks_no_request_and_the_log_goes_on_without_a_gap(
    replicas: Replicas, steady: App, tmp_path: Path
) -> None:
    leaving, _ = replicas.pods
    replicas.door.leads_to(leaving)
    numbers = iter(range(1, 10_000))

    def look() -> int:
        number = next(numbers)
        steady.get(f"/?look={number}")
        return number

    with following(steady, tmp_path) as said:
        eventually(lambda: look() > 0 and "look=" in said.read_text())
        replicas.door.leads_to_all()
        with replicas.asked() as probes:
            replicas.installed.kubectl("delete", "pod", leaving, "--wait=false")
            eventually(lambda: look() > 0 and leaving not in replicas.there(), 120)
            last = look()
            eventually(lambda: f"look={last} " in said.read_text())
    assert probes.failures == []
    assert probes.count > 50
    found = [int(each) for each in re.findall(r"look=(\d+) ", said.read_text())]
    assert found == list(range(found[0], last + 1))


def test_a55_an_upgrade_that_cannot_migrate_changes_nothing(
    replicas: Replicas, steady: App, helm: Path, cluster_registry: ClusterRegistry
) -> None:
    release, pods = replicas.installed, replicas.pods
    own = release.values["image"]["platform"]
    release.values["image"]["platform"] = newer.image_with(newer.FAILS, own, cluster_registry)
    with steady_requests(steady, 20) as knocks, replicas.asked() as probes:
        failed = release.tried(helm, "upgrade", "--timeout", "15s")
        eventually(lambda: "nowhere" in release.said_by("migrate"), 180)
    release.values["image"]["platform"] = own
    assert failed.returncode != 0
    assert "pre-upgrade hooks failed" in failed.stderr
    assert replicas.pods == pods
    assert replicas.ask("SELECT to_regclass('migrated')") == [(None,)]
    assert replicas.revision() != newer.REVISION
    assert (knocks.failures, probes.failures) == ([], [])


def test_a55_an_upgrade_and_its_way_back_drop_no_request_and_lose_no_release(
    replicas: Replicas, steady: App, gate: Gate, helm: Path, cluster_registry: ClusterRegistry, tmp_path: Path
) -> None:
    """The next version is the same code with one more migration, which adds a table and a column."""
    release, old_pods = replicas.installed, replicas.pods
    first = len(steady.history())
    begun = replicas.platform.create("begun", "procfile-only")
    gate.hold(begun)
    with steady_requests(steady, 20) as knocks, replicas.asked() as probes:
        begun.wherry("builds:create", "--no-wait")
        gate.await_build(begun)
        release.values["image"]["platform"] = newer.image_with(
            newer.ADDS, release.values["image"]["platform"], cluster_registry
        )
        release.chart = newer.chart(tmp_path)
        with ThreadPoolExecutor(1) as beside:
            upgrade = beside.submit(release.helm, helm, "upgrade", "--wait", "--timeout", "4m")
            eventually(lambda: replicas.revision() == newer.REVISION, 180)
            assert old_pods <= replicas.pods
            steady.wherry("config:set", "WHEN=between")  # a release that is made while the old code has the new tables
            upgrade.result()
        eventually(lambda: not old_pods & replicas.pods)
        eventually(lambda: replicas.holder(begun) in replicas.pods, 120)
        gate.open(begun)
        eventually(lambda: begun.history() == [(1, "succeeded")])
        ((pod,),) = replicas.ask("SELECT pod FROM migrated")
        assert str(pod).startswith("wherry-migrate-")
        labels = release.get("deployment", "wherry")["metadata"]["labels"]
        assert labels["app.kubernetes.io/version"] == newer.VERSION
        steady.say("New")
        steady.push()

        new_pods = replicas.pods
        release.helm(helm, "rollback", "1", "--wait", "--timeout", "4m")
        eventually(lambda: not new_pods & replicas.pods)
        assert replicas.revision() == newer.REVISION
        steady.say("Back")
        steady.push()
        eventually(lambda: "Back" in steady.get()[1])
    assert steady.history()[:-first] == [(first + number, "succeeded") for number in (3, 2, 1)]
    eventually(lambda: serves(begun))
    assert (knocks.failures, probes.failures) == ([], [])
