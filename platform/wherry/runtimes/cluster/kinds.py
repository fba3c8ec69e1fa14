"""The kinds of objects that we make or read, and where the API keeps them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
"""One object of the API as its JSON says it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`group` "" is the core group."""

    name: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", part: str = "") -> str:
        """Of the collection, of one object in it, or of a part (subresource) of that. Without a namespace it is the
        collection of all.
        """
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return "/".join(filter(None, [f"{root}{inside}/{self.plural}", name, part]))


NAMESPACE = Kind("Namespace", "namespaces", namespaced=False)
POD = Kind("Pod", "pods")
SECRET = Kind("Secret", "secrets")
SERVICE = Kind("Service", "services")
SERVICE_ACCOUNT = Kind("ServiceAccount", "serviceaccounts")
RESOURCE_QUOTA = Kind("ResourceQuota", "resourcequotas")
LIMIT_RANGE = Kind("LimitRange", "limitranges")
VOLUME_CLAIM = Kind("PersistentVolumeClaim", "persistentvolumeclaims")
EVENT = Kind("Event", "events")
NODE = Kind("Node", "nodes", namespaced=False)
DEPLOYMENT = Kind("Deployment", "deployments", "apps")
REPLICA_SET = Kind("ReplicaSet", "replicasets", "apps")
JOB = Kind("Job", "jobs", "batch")
NETWORK_POLICY = Kind("NetworkPolicy", "networkpolicies", "networking.k8s.io")
INGRESS = Kind("Ingress", "ingresses", "networking.k8s.io")
HTTP_ROUTE = Kind("HTTPRoute", "httproutes", "gateway.networking.k8s.io")
ENDPOINT_SLICE = Kind("EndpointSlice", "endpointslices", "discovery.k8s.io")
GATEWAY = Kind("Gateway", "gateways", "gateway.networking.k8s.io")
INGRESS_CLASS = Kind("IngressClass", "ingressclasses", "networking.k8s.io", namespaced=False)
DISRUPTION_BUDGET = Kind("PodDisruptionBudget", "poddisruptionbudgets", "policy")
AUTOSCALER = Kind("HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", "v2")

_ALL = [each for each in list(globals().values()) if isinstance(each, Kind)]
_KINDS = {(each.api_version, each.name): each for each in _ALL}


def kind_of(found: Object) -> Kind:
    """Of an object that says its apiVersion and kind. Raises KeyError for one that is none of ours."""
    return _KINDS[found["apiVersion"], found["kind"]]
