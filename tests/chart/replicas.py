"""A platform of two equal pods in the cluster, on a PostgreSQL and a volume that they share, and what befalls it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import requests

from tests.chart.installed import RELEASE, Installed
from tests.cluster import cgroups
from tests.cluster.cluster import Cluster
from tests.journeys.harness import App, Platform, eventually

_SELECTOR = {"app.kubernetes.io/instance": RELEASE, "app.kubernetes.io/component": "platform"}
_MARK = "test/door"


@dataclass
class Door:
    """A Service of our own before the platform, made before it, so that it can be told its own URL."""

    cluster: Cluster
    namespace: str

    def make(self) -> None:
        ports = [{"name": "web", "port": 80, "targetPort": 8301}]
        wanted = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "door", "namespace": self.namespace},
            "spec": {"type": "NodePort", "selector": _SELECTOR, "ports": ports},
        }
        self.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(wanted))

    @property
    def url(self) -> str:
        port = self.kubectl("get", "service", "door", "--output=jsonpath={.spec.ports[0].nodePort}")
        return f"http://{self.cluster.node_address}:{port}"

    def leads_to(self, *pods: str) -> None:
        """These alone, from the next connection on."""
        self.kubectl("label", "pods", "--all", f"{_MARK}-")
        self.kubectl("label", "pods", *pods, f"{_MARK}=here")
        self._select({_MARK: "here"})
        eventually(lambda: len(self._endpoints()) == len(pods))

    def leads_to_all(self) -> None:
        self._select({_MARK: None})

    def kubectl(self, *argv: str) -> str:
        return self.cluster.kubectl("--namespace", self.namespace, *argv)

    def _select(self, labels: dict[str, str | None]) -> None:
        patch = json.dumps({"spec": {"selector": labels}})
        self.kubectl("patch", "service", "door", "--type=merge", f"--patch={patch}")

    def _endpoints(self) -> list[str]:
        found = json.loads(
            self.kubectl("get", "endpointslices", "--selector=kubernetes.io/service-name=door", "--output=json")
        )
        return [address for each in found["items"] for one in each["endpoints"] or () for address in one["addresses"]]


@dataclass
class Replicas:
    """`platform`: as a user of it has it. `database`: its URL on this machine."""

    installed: Installed
    door: Door
    platform: Platform
    database: str

    @property
    def pods(self) -> set[str]:
        """Those that are not leaving."""
        return {name for name, leaves in self.there().items() if not leaves}

    def there(self) -> dict[str, bool]:
        """Every pod, and whether it is leaving."""
        selector = ",".join(f"{key}={value}" for key, value in _SELECTOR.items())
        found = self.installed.get("pods", f"--selector={selector}")["items"]
        return {each["metadata"]["name"]: "deletionTimestamp" in each["metadata"] for each in found}

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def revision(self) -> str:
        """Of the tables."""
        return str(self.ask("SELECT version_num FROM alembic_version")[0][0])

    def asked(self) -> AbstractContextManager[Probes]:
        """The API, all the time while the block runs."""
        return asking(f"{self.door.url}/account", self.platform.settings["WHERRY_API_KEY"])

    def holder(self, app: App) -> str:
        """The pod whose worker has the app's build; "" while none that lives has it."""
        rows = self.ask(
            "SELECT worker FROM jobs JOIN builds ON builds.id = jobs.subject JOIN apps ON apps.id = builds.app_id "
            "WHERE jobs.kind = 'build' AND apps.name = %s AND worker IS NOT NULL",
            app.name,
        )
        return next((pod for pod in self.pods for (worker,) in rows if str(worker).endswith(f"-{pod}")), "")

    def kill(self, pod: str) -> None:
        """As when its node dies: no process of it gets a word in, and Kubernetes is told that it is gone."""
        uid = self.installed.kubectl("get", "pod", pod, "--output=jsonpath={.metadata.uid}")
        processes = cgroups.processes(f"{self.installed.cluster.slot.name}/kubepods/burstable/pod{uid}")
        assert processes
        for each in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, 9)
        self.installed.kubectl("delete", "pod", pod, "--grace-period=0", "--force", "--wait=false")

    def rollouts(self, app: App) -> int:
        """How often the cluster was told to bring up another web process."""
        place = self.installed.cluster.kubectl(
            "get", "namespaces", f"--selector=app.kubernetes.io/name={app.name}", "--output=name"
        ).strip()
        found = self.installed.cluster.kubectl(
            "get", "replicasets", f"--namespace={place.removeprefix('namespace/')}", "--output=name"
        )
        return len(found.split())


def answers(url: str) -> bool:
    """A node hears of a pod that is ready a moment after Helm does."""
    try:
        return requests.get(url, timeout=20).status_code == 200
    except requests.RequestException:
        return False


@dataclass
class Probes:
    """`failures`: of those that got no answer, or another than 200."""

    count: int = 0
    failures: list[str] = field(default_factory=list)


@contextmanager
def asking(url: str, token: str, each: float = 0.1) -> Iterator[Probes]:
    """GET in turn on a new connection and on one that is kept, every `each` seconds, while the block runs."""
    probes, done = Probes(), threading.Event()
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.heroku+json; version=3"}

    def get(kept: requests.Session, old: bool) -> requests.Response:
        """A server may close a connection that is idle in the moment in which the next request leaves, which clients send
        again on a new one (RFC 9110, 9.2.2).
        """
        try:
            return (kept if old else requests).get(url, headers=headers, timeout=20)
        except requests.ConnectionError:
            if not old:
                raise
            kept.close()
            return requests.get(url, headers=headers, timeout=20)

    def ask() -> None:
        with requests.Session() as kept:
            while not done.wait(each):
                probes.count += 1
                try:
                    answer = get(kept, probes.count % 2 == 1)
                    if answer.status_code != 200:
                        probes.failures.append(f"{time.time():.1f} {answer.status_code} {answer.text[:200]}")
                except requests.RequestException as error:
                    probes.failures.append(f"{time.time():.1f} {error!r}")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield probes
    finally:
        done.set()
        thread.join()


@contextmanager
def following(app: App, folder: Path) -> Iterator[Path]:
    """`wherry logs --tail` of the app while the block runs; what it printed."""
    said = folder / f"{app.name}.tail"
    argv = [sys.executable, "-m", "wherry.cli", "logs", "--tail", "--num=1", f"--app={app.name}"]
    with said.open("wb") as out, (folder / f"{app.name}.tail-talk").open("wb") as talk:
        follower = subprocess.Popen(argv, env=app.platform.environ, cwd=app.folder, stdout=out, stderr=talk)
    try:
        yield said
    finally:
        follower.terminate()
        follower.wait(10)
