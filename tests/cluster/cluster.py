"""A real Kubernetes with one node: up, what it offers, down."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.cluster import binaries, cgroups, components, images, keys, node, services, slots
from tests.cluster.enclosure import Enclosure, disconnect
from tests.cluster.errors import ClusterFailed, Unfit, last_lines

_PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "iptables": "iptables",
    "ip": "iproute2",
    "sysctl": "procps",
    "nsenter": "util-linux",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
}


class Cluster:
    def __init__(self, programs: Path, slot: slots.Slot, enclosure: Enclosure) -> None:
        self.programs = programs
        self.slot = slot
        self.state = slot.state
        self.enclosure = enclosure
        self.place = components.Place(programs / "kube", slot.state, slot.host, slot.node, slot.name)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def host_address(self) -> str:
        """Where the node and its pods reach what listens on this machine, as a registry."""
        return self.slot.host

    @property
    def node_address(self) -> str:
        """Where this machine reaches what listens on the node, as the API server or a gateway."""
        return self.slot.node

    def kubectl(self, *argv: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            [self.programs / "kube", "kubectl", *argv],
            input=stdin,
            capture_output=True,
            text=True,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
        )
        if done.returncode:
            raise ClusterFailed(f"kubectl {' '.join(argv)} ended with exit code {done.returncode}:\n{done.stderr}")
        return done.stdout

    def get(self, path: str) -> requests.Response:
        """From the API server, as its administrator. Status 503 stands for one that does not answer."""
        token = (self.state / "tokens.csv").read_text().split(",")[0]
        headers = {"Authorization": f"Bearer {token}"}
        try:
            url = f"{self.place.server}{path}"
            return requests.get(url, headers=headers, verify=str(self.state / "ca.crt"), timeout=10)
        except requests.ConnectionError:
            silent = requests.Response()
            silent.status_code = 503
            return silent

    def spawn(self, name: str, argv: list[str], *, host_network: bool = False) -> subprocess.Popen[bytes]:
        """A program that lives inside, on the node's network or the host's, with a log of its own; until `stop`."""
        with (self.state / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                self.enclosure.argv(*argv, host_network=host_network),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running[name] = process
        return process

    def stop(self, name: str) -> None:
        process = self._running.pop(name)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended by itself
            for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                os.kill(int(child), 9)  # nsenter itself passes no signal on
        process.wait(10)

    def await_ready(self, name: str, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Raises ClusterFailed with the log's end when the component dies or takes longer."""
        deadline = time.monotonic() + seconds
        while not ready():
            for each, process in self._running.items():
                if process.poll() is not None:
                    said = last_lines(self.state / f"{each}.log")
                    raise ClusterFailed(
                        f"{each} of the test cluster ended with exit code {process.returncode}.\n{said}"
                    )
            if time.monotonic() > deadline:
                said = last_lines(self.state / f"{name}.log")
                raise ClusterFailed(f"{name} of the test cluster was not ready after {seconds:.0f} s.\n{said}")
            time.sleep(0.05)

    def down(self) -> None:
        self.enclosure.end()
        for process in self._running.values():
            process.wait(10)
        clean(self.slot)
        self.slot.leave()


def missing() -> list[str]:
    """What keeps this machine from running a cluster."""
    if sys.platform != "linux":
        return ["a Linux machine"]
    found = [] if os.geteuid() == 0 else ["root, to make namespaces"]
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    packages = sorted({package for program, package in _PROGRAMS.items() if not shutil.which(program, path=path)})
    return found + [f"the Debian packages {' '.join(packages)}"] * bool(packages)


def up(*, stay: bool = False) -> Cluster:
    """Builds the programs if need be, and starts a cluster of the caller's own, which ends with it unless it shall stay."""
    if lacking := missing():
        raise Unfit(f"A test cluster needs {' and '.join(lacking)}")
    programs = binaries.folder()
    tidy()
    slot = slots.take()
    cluster = None
    try:
        clean(slot)
        slot.state.mkdir()
        cgroups.make(slot.name)
        cluster = Cluster(programs, slot, Enclosure(slot, programs / "pause", stay=stay))
        if stay:
            (slot.state / "stays").write_text(str(cluster.enclosure.first))
        start(cluster)
    except BaseException:
        if cluster:
            cluster.down()
        else:
            clean(slot)
            slot.leave()
        raise
    return cluster


def start(cluster: Cluster) -> None:
    place = cluster.place
    names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    keys.write_keys(place.state, place.server, ["127.0.0.1", place.node, components.API_SERVICE], names)
    node.write_node_files(place)
    cluster.spawn("etcd", components.etcd(place))
    cluster.spawn("apiserver", components.apiserver(place))
    cluster.spawn("containerd", components.containerd(place))
    layer = images.layer_of({"pause": cluster.programs / "pause"})
    images.write_archive(
        place.state / "pause.tar", node.PAUSE, layer, {"Entrypoint": ["/pause"], "User": "65535:65535"}
    )
    cluster.await_ready("containerd", lambda: (place.state / "containerd/io.containerd.metadata.v1.bolt").exists())
    cluster.enclosure.run(
        "ctr", "--address=/run/containerd.sock", "--namespace=k8s.io", "images", "import", f"{place.state}/pause.tar"
    )
    cluster.await_ready("apiserver", lambda: cluster.get("/readyz").ok)
    for name in ("controllers", "scheduler", "kubelet", "proxy", "policies"):
        cluster.spawn(name, getattr(components, name)(place))
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(services.name_server(place.kube)))
    cluster.await_ready("kubelet", lambda: _node_is_ready(cluster))
    cluster.await_ready("proxy", lambda: _name_server_is_ready(cluster))


def clean(slot: slots.Slot) -> None:
    """Takes away what a cluster whose processes are gone has left on the host."""
    disconnect(slot)
    cgroups.remove(slot.name)
    shutil.rmtree(slot.state, ignore_errors=True)


def tidy() -> None:
    """The same for all places whose clusters were killed."""
    for number in slots.used():
        if slot := slots.lock(number):
            clean(slot)
            slot.leave()


def down_all() -> None:
    """Ends the clusters that stay, and tidies."""
    for number in slots.used():
        first = slots.BASE / str(number) / "stays"
        if first.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(first.read_text()), 15)
            slots.await_free([number])
    tidy()


def _node_is_ready(cluster: Cluster) -> bool:
    node = cluster.get(f"/api/v1/nodes/{components.NODE}")
    conditions = node.json()["status"]["conditions"] if node.ok else []
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)


def _name_server_is_ready(cluster: Cluster) -> bool:
    found = cluster.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns")
    return found.ok and found.json().get("status", {}).get("readyReplicas") == 1
