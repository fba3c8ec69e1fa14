"""A release of the chart on the cluster, as its operator has it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from wherry.builds.operator_env import bundle_of_host

from tests.chart.shapes import CHART, helmed
from tests.cluster.cluster import Cluster
from tests.cluster.errors import ClusterFailed
from tests.cluster.fixtures import PLATFORM_LABEL
from tests.cluster.gateway import Gateway
from tests.cluster.registry import ClusterRegistry

RELEASE = "wherry"
USER, GROUP = 1001, 1000


@dataclass(frozen=True)
class Volume:
    """`folder`: where its files lie, on this machine."""

    name: str
    folder: Path

    @property
    def selector(self) -> dict[str, Any]:
        return {"matchLabels": {"volume": self.name}}


def made_volume(cluster: Cluster, name: str) -> Volume:
    """On the node. A volume of that kind belongs to root as it is made, whatever group a pod asks for."""
    folder = cluster.state / "volumes" / name
    folder.mkdir(parents=True)
    subprocess.run(["chown", f"{USER}:{GROUP}", folder], check=True)
    wanted = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": {"volume": name}},
        "spec": {
            "capacity": {"storage": "100Gi"},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": str(folder)},
        },
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(wanted))
    return Volume(name, folder)


@contextmanager
def lent_volume(cluster: Cluster, name: str) -> Iterator[Volume]:
    """As made_volume; it goes with all that was put into it."""
    made = made_volume(cluster, name)
    yield made
    cluster.kubectl("delete", "persistentvolume", made.name, "--wait=false")
    shutil.rmtree(made.folder, ignore_errors=True)


def behind(gateway: Gateway, **more: str) -> dict[str, str]:
    """The value `apps`."""
    return {"gateway": f"{gateway.namespace}/{gateway.name}", **more}


@dataclass
class Installed:
    cluster: Cluster
    namespace: str
    folder: Path
    values: dict[str, Any]
    pod: str = f"statefulset/{RELEASE}"
    chart: Path = CHART

    def helm(self, program: Path, verb: str, *argv: str) -> str:
        done = self.tried(program, verb, *argv)
        assert done.returncode == 0, f"{done.args}\n{done.stdout}{done.stderr}\n{self.evidence()}"
        return done.stdout

    def tried(self, program: Path, verb: str, *argv: str) -> subprocess.CompletedProcess[str]:
        file = self.folder / "release.json"
        file.write_text(json.dumps(self.values))
        chart = [str(self.chart), "-f", str(file)] if verb in ("install", "upgrade") else []
        line = [verb, RELEASE, *chart, "--namespace", self.namespace, *argv]
        return helmed(program, *line, kubeconfig=self.cluster.kubeconfig)

    def evidence(self) -> str:
        pods = self.kubectl("get", "pods", "-o", "wide")
        return pods + self.kubectl(
            "logs", f"--selector=app.kubernetes.io/instance={RELEASE}", "--all-containers", "--tail=20"
        )

    def kubectl(self, *argv: str) -> str:
        return self.cluster.kubectl("--namespace", self.namespace, *argv)

    def get(self, *what: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", *what, "-o", "json"))
        return found

    def inside(self, *argv: str) -> str:
        """The CLI in the platform's own pod."""
        return self.kubectl("exec", self.pod, "-c", "web", "--", "bin/wherry", *argv).strip()

    def said_by(self, component: str) -> str:
        """What its pods wrote last, as far as they have begun."""
        try:
            return self.kubectl("logs", f"--selector=app.kubernetes.io/component={component}", "--tail=20")
        except ClusterFailed:
            return ""

    @property
    def platform_id(self) -> str:
        """ "" before there is one."""
        keys = self.get("secret", "--ignore-not-found", f"--field-selector=metadata.name={RELEASE}-keys")["items"]
        return base64.b64decode(keys[0]["data"]["platform"]).decode() if keys else ""

    def forget_its_apps(self) -> None:
        """What a release leaves when it is gone."""
        if platform := self.platform_id:
            self.cluster.kubectl("delete", "namespace", f"--selector={PLATFORM_LABEL}={platform}", "--wait=false")

    def rolled_out(self) -> None:
        self.kubectl("rollout", "status", self.pod, "--timeout=240s")

    def port(self, service: str, port: str) -> int:
        ports = self.get("service", service)["spec"]["ports"]
        return int(next(each["nodePort"] for each in ports if each["name"] == port))

    @property
    def url(self) -> str:
        return f"http://{self.cluster.node_address}:{self.port(RELEASE, 'web')}"

    def api(self, path: str, token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.heroku+json; version=3"}
        until = time.monotonic() + 60
        while True:
            try:
                return requests.get(self.url + path, headers=headers, timeout=30)
            except requests.ConnectionError:  # a node hears of a pod that is ready a moment after Helm does
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


def usual(published: dict[str, Any], registry: ClusterRegistry, volume: Volume) -> dict[str, Any]:
    """SQLite on a volume of the node, the registry of the tests."""
    there = registry.address_in_pods
    return {
        "image": {**published["image"], "pullSecrets": ["registry-pull"]},
        "trust": {"configMap": "certificates"},
        "registry": {"url": f"http://{there}", "pullUrl": f"http://{registry.address}", "existingSecret": "registry"},
        "persistence": {"selector": volume.selector},
        "service": {"type": "NodePort"},
        "doors": {"type": "NodePort"},
    }


def logins(cluster: Cluster, namespace: str, registry: ClusterRegistry) -> None:
    """The Secrets that the values name, and the certificates of this machine."""
    told = ["--namespace", namespace, "create", "secret"]
    cluster.kubectl(
        *(*told, "docker-registry", "registry-pull", f"--docker-server={registry.address}"),
        *(f"--docker-username={registry.user}", f"--docker-password={registry.password}"),
    )
    words = (f"--from-literal=username={registry.user}", f"--from-literal=password={registry.password}")
    cluster.kubectl(*told, "generic", "registry", *words)
    bundle = f"--from-file=ca-certificates.crt={bundle_of_host(os.environ)}"
    cluster.kubectl("--namespace", namespace, "create", "configmap", "certificates", bundle)
