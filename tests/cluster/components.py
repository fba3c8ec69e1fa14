"""The components of Kubernetes and how each is told what to do. Pure: values in, argument lists out.

The versions are those of kube/go.mod. The kubelet's `restrict_oom_score_adj` counterpart and more of the node's own files
are in node.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

API_PORT = 6443
PODS = "10.244.0.0/16"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
NODE = "node1"


@dataclass(frozen=True)
class Place:
    kube: Path
    state: Path
    host: str
    node: str
    cgroup: str

    @property
    def server(self) -> str:
        return f"https://{self.node}:{API_PORT}"


def etcd(place: Place) -> list[str]:
    """Debian's 3.4 makes this API server's lists time out, so etcd is in our binary."""
    return [str(place.kube), "etcd", f"--data-dir={place.state}/etcd", "--unsafe-no-fsync", "--log-level=warn"]


def apiserver(place: Place) -> list[str]:
    return [
        *(str(place.kube), "apiserver"),
        "--etcd-servers=http://127.0.0.1:2379",
        f"--secure-port={API_PORT}",
        f"--advertise-address={place.node}",
        f"--tls-cert-file={place.state}/api.crt",
        f"--tls-private-key-file={place.state}/api.key",
        f"--cert-dir={place.state}",
        f"--token-auth-file={place.state}/tokens.csv",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged",
        f"--service-cluster-ip-range={SERVICES}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={place.state}/sa.key",
        f"--service-account-signing-key-file={place.state}/sa.key",
        "--kubelet-preferred-address-types=InternalIP",
        # Added APIs, as metrics-server's, know by these that it is the API server who asks.
        f"--requestheader-client-ca-file={place.state}/ca.crt",
        "--requestheader-allowed-names=wherry-test-front",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={place.state}/front.crt",
        f"--proxy-client-key-file={place.state}/front.key",
        "--enable-aggregator-routing",
    ]


def controllers(place: Place) -> list[str]:
    return [
        *(str(place.kube), "controllers"),
        f"--kubeconfig={place.state}/kubeconfig",
        f"--service-account-private-key-file={place.state}/sa.key",
        f"--root-ca-file={place.state}/ca.crt",
        "--use-service-account-credentials",
        "--allocate-node-cidrs",
        f"--cluster-cidr={PODS}",
        "--leader-elect=false",
        "--horizontal-pod-autoscaler-sync-period=2s",
        "--horizontal-pod-autoscaler-initial-readiness-delay=2s",
        "--horizontal-pod-autoscaler-cpu-initialization-period=2s",
        "--horizontal-pod-autoscaler-downscale-stabilization=5s",
    ]


def scheduler(place: Place) -> list[str]:
    return [str(place.kube), "scheduler", f"--kubeconfig={place.state}/kubeconfig", "--leader-elect=false"]


def kubelet(place: Place) -> list[str]:
    return [
        *(str(place.kube), "kubelet"),
        f"--config={place.state}/kubelet.yaml",
        f"--kubeconfig={place.state}/kubeconfig",
        f"--root-dir={place.state}/kubelet",
        f"--hostname-override={NODE}",
        f"--node-ip={place.node}",
    ]


def proxy(place: Place) -> list[str]:
    return [str(place.kube), "proxy", f"--config={place.state}/proxy.yaml"]


def containerd(place: Place) -> list[str]:
    return ["containerd", "--config", f"{place.state}/containerd.toml"]


def policies(place: Place) -> list[str]:
    """Enforces NetworkPolicies; see kube/policies.go."""
    return [str(place.kube), "policies", f"--kubeconfig={place.state}/kubeconfig"]


def metrics(place: Place) -> list[str]:
    return [
        *(str(place.kube), "metrics"),
        f"--kubeconfig={place.state}/kubeconfig",
        f"--address={place.node}",
        f"--certificate={place.state}/api.crt",
        f"--key={place.state}/api.key",
    ]
