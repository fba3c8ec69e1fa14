"""The node's own files: containerd, the pods' network, the kubelet's settings."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.components import DNS_SERVICE, NODE, PODS, Place

PAUSE = "localhost/pause:1"
_INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
_ENOUGH = 1024


def write_node_files(place: Place) -> None:
    (place.state / "cni").mkdir()
    (place.state / "certs.d").mkdir()
    (place.state / "cni/10-pods.conflist").write_text(json.dumps(_pods_network(place), indent=1))
    (place.state / "containerd.toml").write_text(_containerd(place))
    (place.state / "kubelet.yaml").write_text(_kubelet(place))
    (place.state / "proxy.yaml").write_text(_proxy(place))
    (place.state / "resolv.conf").write_text(_resolvers())


def give_watches() -> None:
    """All clusters, and whatever else runs here, share the kernel's inotify instances: its 128 are too few for eight."""
    if int(_INSTANCES.read_text()) < _ENOUGH:
        _INSTANCES.write_text(str(_ENOUGH))


def trust_plain_http(state: Path, name: str, address: str) -> None:
    """The node pulls what is named `name`/… over plain HTTP from `address`. containerd reads this at every pull."""
    folder = state / "certs.d" / name
    folder.mkdir(exist_ok=True)
    server = f'server = "http://{address}"\n[host."http://{address}"]\ncapabilities = ["pull", "resolve"]\n'
    (folder / "hosts.toml").write_text(server)


def _pods_network(place: Place) -> dict[str, object]:
    """A cable for every pod and no bridge: all their traffic is routed, where a firewall sees it."""
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": PODS.replace("/16", "/24")}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": f"{place.state}/addresses",
    }
    cable = {"type": "ptp", "ipMasq": True, "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [cable, ports]}


def _containerd(place: Place) -> str:
    """`restrict_oom_score_adj`: without the capability SYS_RESOURCE nobody may lower it, and runc would die of trying."""
    return f"""\
version = 2
root = "{place.state}/containerd"
state = "/run/containerd"
[grpc]
address = "/run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "{_snapshotter(place.state)}"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{place.state}/cni"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{place.state}/certs.d"
"""


def _snapshotter(state: Path) -> str:
    """An overlay takes no upper folder on another overlay, as inside a container; copies do there."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    own = max((each for each in mounts if state.is_relative_to(each[1])), key=lambda each: len(each[1]))
    return "native" if own[2] == "overlay" else "overlayfs"


def _kubelet(place: Place) -> str:
    """In block style: the kubelet takes a leading brace for JSON."""
    return f"""\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix:///run/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /{place.cgroup}
failSwapOn: false
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
clusterDomain: cluster.local
clusterDNS: ["{DNS_SERVICE}"]
resolvConf: {place.state}/resolv.conf
evictionHard: {{nodefs.available: "1%", imagefs.available: "1%"}}
nodeStatusUpdateFrequency: 5s
maxPods: 200
"""


def _proxy(place: Place) -> str:
    """The period is the least time between two writes of the rules: a second by default, for clusters of many services."""
    return f"""\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {{kubeconfig: {place.state}/kubeconfig}}
hostnameOverride: {NODE}
clusterCIDR: {PODS}
mode: nftables
nftables: {{minSyncPeriod: 50ms, syncPeriod: 30s}}
"""


def _resolvers() -> str:
    """The host's name servers that a pod can reach: one on a loopback address answers the host alone."""
    lines: list[str] = []
    for path in map(Path, ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf")):
        if path.exists():
            words = [line.split() for line in path.read_text().splitlines()]
            lines = [
                each[1] for each in words if each[:1] == ["nameserver"] and not each[1].startswith(("127.", "::1"))
            ]
        if lines:
            break
    return "".join(f"nameserver {each}\n" for each in lines)
