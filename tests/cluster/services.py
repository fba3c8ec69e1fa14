"""What runs in a cluster beside its components: CoreDNS as a pod, metrics-server by its API. Pure objects."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.components import DNS_SERVICE, NODE
from tests.cluster.node import PAUSE

_COREFILE = """\
.:53 {
    errors
    ready
    cache 2
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        ttl 1
    }
    forward . /etc/resolv.conf
}
"""
_METRICS_PORT = 10252


LOCAL_STORAGE = "local"
"""The class of the volumes that `local_storage` makes."""


def storage_class() -> dict[str, object]:
    """Nothing makes volumes of it: they are there already, and one is bound once a pod needs it."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": LOCAL_STORAGE},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def local_volume(folder: str) -> dict[str, object]:
    """A folder of the node, which belongs to root, as a disk of 1 GiB."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": folder.rpartition("/")[2]},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": LOCAL_STORAGE,
            "local": {"path": folder},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }


def name_server(kube: Path) -> dict[str, object]:
    """Under the names that policies everywhere allow: the Service kube-dns, the pods with k8s-app=kube-dns.

    Its pod has the image of pauses and the program from the host: a copy of 150 MB would take longer than its start.
    """
    selector = {"k8s-app": "kube-dns"}
    container = {
        "name": "coredns",
        "image": PAUSE,
        "command": ["/kube", "dns", "-conf", "/etc/coredns/Corefile"],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [
            {"name": "program", "mountPath": "/kube", "readOnly": True},
            {"name": "config", "mountPath": "/etc/coredns", "readOnly": True},
        ],
    }
    pod = {
        "serviceAccountName": "coredns",
        "dnsPolicy": "Default",
        "tolerations": [{"operator": "Exists"}],
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [
            {"name": "program", "hostPath": {"path": str(kube), "type": "File"}},
            {"name": "config", "configMap": {"name": "coredns"}},
        ],
    }
    spec = {"selector": {"matchLabels": selector}, "template": {"metadata": {"labels": selector}, "spec": pod}}
    reads = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "coredns"}
    who = [{"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}]
    ports = [
        {"name": name, "protocol": protocol, "port": 53} for name, protocol in (("dns", "UDP"), ("dns-tcp", "TCP"))
    ]
    return _list(
        _object("v1", "ServiceAccount", "coredns"),
        _object("rbac.authorization.k8s.io/v1", "ClusterRole", "coredns", namespace="", rules=reads),
        _object(
            "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "coredns", namespace="", roleRef=role, subjects=who
        ),
        _object("v1", "ConfigMap", "coredns", data={"Corefile": _COREFILE}),
        _object("apps/v1", "Deployment", "coredns", spec=spec),
        _object("v1", "Service", "kube-dns", spec={"clusterIP": DNS_SERVICE, "selector": selector, "ports": ports}),
    )


def metrics_api(node: str) -> dict[str, object]:
    """The API of metrics-server, which runs on the node beside the components."""
    port = {"name": "https", "port": 443, "targetPort": _METRICS_PORT}
    slice_port = {"name": "https", "port": _METRICS_PORT, "protocol": "TCP"}
    endpoint = {"addresses": [node], "conditions": {"ready": True}, "nodeName": NODE}
    slices = _object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "metrics-server",
        addressType="IPv4",
        ports=[slice_port],
        endpoints=[endpoint],
    )
    slices["metadata"]["labels"] = {"kubernetes.io/service-name": "metrics-server"}
    api = {
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "service": {"name": "metrics-server", "namespace": "kube-system"},
        "insecureSkipTLSVerify": True,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
    }
    return _list(
        _object("v1", "Service", "metrics-server", spec={"ports": [port]}),
        slices,
        _object("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io", namespace="", spec=api),
    )


def _object(version: str, kind: str, name: str, *, namespace: str = "kube-system", **rest: object) -> dict[str, dict]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}


def _list(*objects: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}
