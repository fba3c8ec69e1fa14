"""A real Kubernetes with one node: up, and what to tidy of those that were killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys

from tests.cluster import binaries, cgroups, components, images, keys, node, services, slots
from tests.cluster.cluster import Cluster
from tests.cluster.enclosure import Enclosure, clean
from tests.cluster.errors import Unfit

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
    node.give_watches()
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
        if slot := slots.lock(number):  # that process is gone, and its number may be another's
            slot.leave()
        elif first.exists():
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
