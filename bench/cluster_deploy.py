"""M12: a deploy on a cluster against the raw cluster, and what a worker needs that watches many apps.

    .venv/bin/python bench/cluster_deploy.py [ROUNDS] [APPS]

Starts a Kubernetes of its own (tests/cluster). ROUNDS deploys (15) of each kind, in turns: ours (start, processes,
retire), and of a copy of the same Deployment in a namespace of its own, the raw `kubectl set image` + `kubectl rollout
status`, and the limit: one bare patch until the new pod is Ready by a watch. Two images that differ in one file, present
on the node. Prints the calls of one deploy. Then APPS apps (1000; 0: none) without pods: the memory of a process that
watches them all, how long it takes until it knows them, and what it asks the API in a minute in which nothing happens.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from docker import APIClient  # noqa: E402
from wherry.domain.image import Image  # noqa: E402
from wherry.domain.workload import Workload  # noqa: E402
from wherry.logins import Login  # noqa: E402
from wherry.runtimes.cluster import kinds, manifests, namespace, naming, pods  # noqa: E402
from wherry.runtimes.cluster.apply import KEPT  # noqa: E402
from wherry.runtimes.cluster.client import Client  # noqa: E402
from wherry.runtimes.cluster.ground import Ground, Pulls  # noqa: E402
from wherry.runtimes.cluster.kinds import Object  # noqa: E402
from wherry.runtimes.cluster.pod_spec import config_secret  # noqa: E402
from wherry.runtimes.cluster.runtime import ClusterProcesses  # noqa: E402
from wherry.runtimes.cluster.transport import Call  # noqa: E402
from wherry.runtimes.cluster.world import World  # noqa: E402

from tests.cluster.cluster import Cluster  # noqa: E402
from tests.cluster.lifecycle import up  # noqa: E402
from tests.cluster.registry import start_registry  # noqa: E402
from tests.runtimes.machine_world import quiet, workload  # noqa: E402
from tests.runtimes.tiny import ENGINE, busybox, root_filesystem  # noqa: E402

AT_ONCE = 8
WRITES = ("APPLY", "CREATE", "PATCH", "DELETE")


def main(rounds: int, apps: int) -> None:
    cluster = up()
    try:
        address = start_registry(cluster, "registry", login=False).address
        with tempfile.TemporaryDirectory(prefix="wherry-bench-") as folder:
            images = [_image(address, number, Path(folder)) for number in range(2)]
        deploys(cluster, Ground("bench", Pulls(address), drain=0), images, rounds)
        if apps:
            many(cluster, apps)
    finally:
        cluster.down()


def deploys(cluster: Cluster, ground: Ground, images: list[Image], rounds: int) -> None:
    client = Client(str(cluster.kubeconfig))
    runtime = ClusterProcesses(client, ground)
    asked = workload(images[0], stop_grace=1.0)
    for each in images:  # so that both are on the node
        runtime.start([replace(asked, image=each, release=1 + images.index(each))], quiet)
    raw = _copy(client, ground, asked)
    one, other = (ground.pulls.reference(each.repository, each.digest) for each in images)
    kubectl, limit, ours = Raw(cluster, other, raw), Limit(client, one, raw), Ours(runtime, asked, images)
    taken: dict[str, list[float]] = {"ours": [], "kubectl": [], "limit": []}
    before = client.sent.copy()
    for _ in range(rounds):
        for name, act in (("ours", ours.deploy), ("kubectl", kubectl.deploy), ("limit", limit.deploy)):
            counted = client.sent.copy()
            started = time.perf_counter()
            act()
            taken[name].append(time.perf_counter() - started)
            if name == "ours":
                before = client.sent - counted
            time.sleep(1.5)  # the old pod's end is not the next deploy's burden
    runtime.close()
    median = {name: statistics.median(each) for name, each in taken.items()}
    print(f"{'':>34} {'median':>8} {'best':>8} {'worst':>8}")
    rows = {
        "ours": "ours: start, processes, retire",
        "kubectl": "kubectl set image + rollout status",
        "limit": "limit: patch, until Ready (watch)",
    }
    for name, title in rows.items():
        each = taken[name]
        print(f"{title:>34} {median[name]:>6.2f} s {min(each):>6.2f} s {max(each):>6.2f} s")
    print(
        f"ours / kubectl: {median['ours'] / median['kubectl']:.2f} (aim 1.05), ours / limit: {median['ours'] / median['limit']:.2f}"
    )
    writes = sum(before[each] for each in WRITES)
    print(f"one deploy asks: {dict(before)}; writes: {writes} (aim 3), lists: {before['LIST']} (aim 0)")


class Ours:
    def __init__(self, runtime: ClusterProcesses, asked: Workload, images: list[Image]) -> None:
        self._runtime, self._asked, self._images = runtime, asked, images
        self._release = 10

    def deploy(self) -> None:
        self._release += 1
        new = replace(self._asked, image=self._images[self._release % 2], release=self._release)
        self._runtime.start([new], quiet)
        (process,) = [each for each in self._runtime.processes(1) if each.release == self._release]
        assert process.endpoint
        self._runtime.retire(1, [new])


class Raw:
    """As a person does it by hand."""

    def __init__(self, cluster: Cluster, reference: str, place: str) -> None:
        self._cluster, self._reference, self._place = cluster, reference, place

    def deploy(self) -> None:
        self._kubectl("set", "image", "deploy/web", f"{naming.CONTAINER}={self._reference}")
        self._kubectl("rollout", "status", "deploy/web", "--timeout=60s")

    def _kubectl(self, *argv: str) -> None:
        program = [self._cluster.programs / "kube", "kubectl"]
        env = {**os.environ, "KUBECONFIG": str(self._cluster.kubeconfig)}
        subprocess.run([*program, "-n", self._place, *argv], check=True, capture_output=True, env=env)


class Limit:
    """The same Deployment back to its other image."""

    def __init__(self, client: Client, reference: str, place: str) -> None:
        self._client, self._reference, self._place = client, reference, place

    def deploy(self) -> None:
        labels = f"{naming.PROCESS}=web"
        _, version = self._client.list(kinds.POD, self._place, labels=labels)
        containers = [{"name": naming.CONTAINER, "image": self._reference}]
        patch = {"spec": {"template": {"spec": {"containers": containers}}}}
        with self._client.watch(kinds.POD, version, 60, namespace=self._place, labels=labels) as events:
            path, body = kinds.DEPLOYMENT.path(self._place, "web"), json.dumps(patch).encode()
            kind = "application/strategic-merge-patch+json"
            self._client.json(Call("PATCH", path, "patch", body=body, content_type=kind))
            for event in events:
                found = event["object"]
                if found["spec"]["containers"][0]["image"] == self._reference and pods.is_ready(found):
                    return


def _copy(client: Client, ground: Ground, asked: Workload) -> str:
    """The same objects in a namespace of their own, which no platform looks after."""
    elsewhere = replace(ground, platform="benchraw")
    for each in [
        *namespace.objects(elsewhere, 1, "hello", Login()),
        config_secret(elsewhere, asked),
        *manifests.around(elsewhere, asked),
        manifests.deployment(elsewhere, asked),
    ]:
        client.apply(each)
    place = naming.namespace("benchraw", 1)
    _until(lambda: client.get(kinds.DEPLOYMENT, place, "web").get("status", {}).get("readyReplicas") == 1)
    return place


def many(cluster: Cluster, apps: int) -> None:
    """In a process of its own each: making them, and watching them."""
    config, platform = str(cluster.kubeconfig), "benchmany"
    started = time.perf_counter()
    client, ground = Client(config), Ground(platform, Pulls("registry.example.com"))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda number: _app(client, ground, number), range(1, apps + 1)))
    print(f"{apps} apps without pods made in {time.perf_counter() - started:.0f} s", flush=True)
    argv = [sys.executable, __file__, "--watch", config, platform]
    subprocess.run(argv, check=True)


def _app(client: Client, ground: Ground, number: int) -> None:
    asked = workload(Image("apps/1", "sha256:" + "0" * 64), app_id=number, app_name=f"app-{number}")
    made: list[Object] = [
        *namespace.objects(ground, number, asked.app_name, Login()),
        config_secret(ground, asked),
        *manifests.around(ground, asked),
        manifests.deployment(ground, replace(asked, quantity=0)),
    ]
    for each in made:
        client.apply(each)


def watch(kubeconfig: str, platform: str) -> None:
    client = Client(kubeconfig)
    world = World(client, platform)
    client.credentials.door()
    empty = _resident()
    started = time.perf_counter()
    world.need(*KEPT, kinds.POD)
    taken = time.perf_counter() - started
    objects = sum(len(world.of(kind)) for kind in KEPT)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(
        f"a process that watches their {objects} objects: {empty:.0f} MB before, {_resident():.0f} MB after {taken:.1f} s"
    )
    print(f"(at most {most:.0f} MB)", flush=True)
    before, cpu = client.sent.copy(), time.process_time()
    time.sleep(60)
    asked, used = dict(client.sent - before) or "nothing", time.process_time() - cpu
    print(f"in a quiet minute it asks {asked}, and takes {used:.2f} s of CPU")
    world.close()


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _image(address: str, number: int, folder: Path) -> Image:
    """The tests' tiny image, with a file that differs."""
    api = APIClient(base_url=ENGINE, version="auto")
    program = _busybox(folder)
    changes = ["USER 1001:1000", "WORKDIR /workspace", f"ENV NUMBER={number}{secrets.token_hex(4)}"]
    name = f"{address}/apps/1"
    api.import_image_from_data(root_filesystem(program), repository=name, tag="latest", changes=changes)
    (digest,) = [line["aux"]["Digest"] for line in api.push(name, "latest", stream=True, decode=True) if "aux" in line]
    api.remove_image(f"{name}:latest", force=True)
    api.close()
    return Image("apps/1", digest, {"web": ""})


def _busybox(folder: Path) -> Path:
    class Folders:
        def mktemp(self, _: str) -> Path:
            made = folder / secrets.token_hex(4)
            made.mkdir()
            return made

    found: Path = busybox.__wrapped__(Folders())  # type: ignore[attr-defined]
    return found


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--watch"]:
        watch(*sys.argv[2:])
    else:
        main(*(int(each) for each in [*sys.argv[1:], *("15", "1000")[len(sys.argv) - 1 :]]))
