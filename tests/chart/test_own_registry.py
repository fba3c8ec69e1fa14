"""A release with the chart's own registry, and a terminal in a one-off through the chart's doors."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from wherry.domain.secret import Secret
from wherry.images.registry import Registry
from wherry.images.stored import copy_image

from tests.chart.installed import RELEASE, Installed, Volume, behind, lent_volume, logins, usual
from tests.chart.pseudo import Terminal
from tests.cluster.cluster import Cluster
from tests.cluster.fixtures import open_cluster_registry
from tests.cluster.gateway import Gateway
from tests.cluster.node import trust_plain_http
from tests.cluster.registry import ClusterRegistry
from tests.journeys.harness import Platform, eventually, free_port

__all__ = ["open_cluster_registry"]
pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]
NODE_PORT = 30501


@dataclass(frozen=True)
class Published:
    """`platform` lies where a node needs no login; the rest comes from `source` to the registry that is not there yet."""

    source: Registry
    platform: str
    stack: Mapping[str, tuple[str, str]]
    """By its value of the chart: repository and digest."""


@pytest.fixture
def openly(
    published: dict[str, Any],
    cluster_registry: ClusterRegistry,
    open_cluster_registry: ClusterRegistry,
    tmp_path: Path,
) -> Iterator[Published]:
    source = Registry(f"http://{cluster_registry.address}", cluster_registry.user, Secret(cluster_registry.password))
    target = Registry(f"http://{open_cluster_registry.address}")
    parts = {which: each.partition("/")[2].partition("@")[::2] for which, each in published["image"].items()}
    repository, digest = parts.pop("platform")
    copy_image(source, repository, digest, target, repository, tmp_path)
    yield Published(source, f"{open_cluster_registry.address}/{repository}@{digest}", parts)
    source.close()
    target.close()


@pytest.fixture
def shelf(cluster: Cluster, volume: Volume) -> Iterator[Volume]:
    """The registry's volume."""
    with lent_volume(cluster, f"{volume.name}-r") as shelf:
        yield shelf


@pytest.fixture
def release(
    cluster: Cluster,
    namespace: str,
    openly: Published,
    cluster_registry: ClusterRegistry,
    volume: Volume,
    shelf: Volume,
    gateway: Gateway,
    helm: Path,
    tmp_path: Path,
) -> Iterator[Installed]:
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    logins(cluster, namespace, cluster_registry)
    by_nodes = f"{cluster.node_address}:{NODE_PORT}"
    by_pods = f"{RELEASE}-registry.{namespace}.svc:5000"
    stack = {which: f"{by_pods}/{repository}@{digest}" for which, (repository, digest) in openly.stack.items()}
    image = {"platform": openly.platform, **stack}
    trust_plain_http(cluster.state, by_nodes, by_nodes)
    service = {"type": "NodePort", "nodePort": NODE_PORT}
    made = Installed(
        cluster,
        namespace,
        tmp_path,
        {
            **usual({"image": image}, cluster_registry, volume),
            "image": image,
            "registry": {
                "own": {"enabled": True, "service": service, "selector": shelf.selector},
                "pullUrl": f"http://{by_nodes}",
            },
            "apps": behind(gateway, port=gateway.address.rpartition(":")[2]),
            "doors": {"host": "127.0.0.1", "terminalPort": free_port()},
        },
    )
    made.helm(helm, "install", "--wait", "--timeout", "5m")
    login = base64.b64decode(made.get("secret", f"{RELEASE}-registry")["data"]["registry-password"]).decode()
    own = Registry(f"http://{by_nodes}", "wherry", Secret(login))
    for repository, digest in openly.stack.values():
        copy_image(openly.source, repository, digest, own, repository, tmp_path)
    own.close()
    yield made
    made.forget_its_apps()


@contextmanager
def way_to_the_doors(release: Installed) -> Iterator[None]:
    """As an operator without a load balancer has it."""
    port = release.values["doors"]["terminalPort"]
    argv = ["--namespace", release.namespace, "port-forward", f"service/{RELEASE}-doors", f"{port}:{port}"]
    environ = {**os.environ, "KUBECONFIG": str(release.cluster.kubeconfig)}
    program = release.cluster.programs / "kube"
    with subprocess.Popen([program, "kubectl", *argv], env=environ, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout
        assert "Forwarding from" in forward.stdout.readline()
        try:
            yield
        finally:
            forward.terminate()


def test_an_image_goes_to_the_charts_own_registry_comes_back_to_the_node_and_a_terminal_opens_in_it(
    release: Installed, gateway: Gateway, tmp_path: Path
) -> None:
    user = tmp_path / "user"
    user.mkdir()
    token = release.inside("auth:token")
    settings = {"WHERRY_API_URL": release.url, "WHERRY_API_KEY": token}
    there = Platform(tmp_path / "none", user, settings, gateway=gateway.address)
    app = there.create("shelved", "procfile-only")
    remote = release.url.replace("://", f"://token:{token}@") + "/shelved.git"
    pushed = app.git("push", remote, "main", check=False)
    assert pushed.code == 0, f"{pushed.all}\n{release.evidence()}"
    eventually(lambda: "Hello from a test" in app.get()[1])

    kubectl = release.cluster.kubectl
    place = kubectl("get", "ns", "--selector=app.kubernetes.io/name=shelved", "-o=jsonpath={.items[0].metadata.name}")
    image = kubectl("get", "pods", "-n", place, "-o=jsonpath={.items[0].spec.containers[0].image}")
    by_nodes = f"{release.cluster.node_address}:{NODE_PORT}"
    assert image.startswith(f"{by_nodes}/apps/")
    assert requests.get(f"http://{by_nodes}/v2/apps/1/tags/list", timeout=10).status_code == 401

    with way_to_the_doors(release):
        argv = [sys.executable, "-m", "wherry.cli", "run", "-a", "shelved", "bash"]
        shell = Terminal(argv, {**there.environ, "TERM": "xterm"}, rows=33, columns=99)
        shell.see(b"$ ")
        shell.type(b'until [ "$(stty size)" = "$((30 + 3)) $((90 + 9))" ]; do sleep 0.1; done; echo size-$((30 + 3))\n')
        shell.see(b"size-33")
        shell.type(b"echo $TERM-$((40 + 2))\n")
        shell.see(b"xterm-42")
        shell.type(b"exit 7\n")
        assert shell.end() == 7
