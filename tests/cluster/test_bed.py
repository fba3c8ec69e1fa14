"""The test cluster itself: it runs pods, leads visitors to them, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import app, cgroups, components, slots
from tests.cluster.cluster import Cluster
from tests.cluster.errors import ClusterFailed
from tests.cluster.gateway import Gateway
from tests.cluster.lifecycle import tidy, up
from tests.cluster.registry import ClusterRegistry

ROOT = Path(__file__).resolve().parents[2]


def test_a_pod_is_pulled_with_a_login_and_answers_by_service_route_and_ingress(
    cluster: Cluster, cluster_registry: ClusterRegistry, gateway: Gateway, namespace: str, busybox: Path
) -> None:
    image = app.push_app(busybox.read_bytes(), cluster_registry)
    app.deploy(cluster, namespace, image, cluster_registry)
    assert app.run(cluster, namespace, "deploy/web", "wget", "-qO-", "http://web/") == "Ahoy\n"
    app.apply(
        cluster,
        app.route(namespace, "route.test", (gateway.namespace, gateway.name)),
        app.ingress(namespace, "ingress.test", gateway.ingress_class),
    )
    assert app.answer(gateway.address, "route.test") == "200 Ahoy\n"
    assert app.answer(gateway.address, "ingress.test") == "200 Ahoy\n"
    assert app.answer(gateway.address, "unknown.test", seconds=0).startswith("404")


def test_a_killed_session_takes_its_cluster_along_and_the_next_one_tidies_up(cluster: Cluster) -> None:
    """It lives beside the one of this session, with the same addresses of pods and services."""
    code = "from tests.cluster.lifecycle import up; c = up(); print(c.slot.number, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as session:
        assert session.stdout
        number = int(session.stdout.readline())
        assert number != cluster.slot.number
        session.kill()
    slots.await_free([number])
    tidy()
    if place := slots.lock(number):  # else another run of tests has begun its cluster there, which found it tidy
        assert left_of(number) == []
        place.leave()
    assert cluster.get("/readyz").ok


def test_a_component_that_dies_is_named_with_its_last_words_and_nothing_is_left(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(components, "kubelet", lambda place: [str(place.kube), "kubelet", "--no-such-flag"])
    with pytest.raises(ClusterFailed) as failed:
        up()
    assert "kubelet of the test cluster ended with exit code 1" in str(failed.value)
    assert "unknown flag: --no-such-flag" in str(failed.value)
    assert [number for number in slots.used() if number != cluster.slot.number and slots.lock(number)] == []


def left_of(number: int) -> list[str]:
    """On the host, of a cluster that is gone: files, control groups, firewall rules, processes, the cable."""
    name = f"wherry-test-{number}"
    state = slots.BASE / str(number)
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout.splitlines()
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout.split()
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    found = [str(state)] * state.exists() + [name] * cgroups.exists(name)
    found += [rule for rule in rules if name in rule.split() or f'"{name}"' in rule]
    found += [link for link in links if link.startswith(f"wktest{number}@")]
    found += [mount for mount in mounts if f"{state}/" in mount]
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [command.read_text()] * (f"{state}/" in command.read_text())
        except OSError:  # it ended meanwhile
            continue
    return found
