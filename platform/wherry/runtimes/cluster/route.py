"""How visitors reach an app: its HTTPRoute or Ingress, and a Service behind which nobody is. Pure.

What was asked for stands on the object, in one annotation; so any process can change a part of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wherry.domain.errors import InvalidInput
from wherry.domain.workload import AppRoute

ASKED = "wherry.dev/route"
CLOSED = "closed"
GATEWAY_API = "gateway.networking.k8s.io/v1"
INGRESS_API = "networking.k8s.io/v1"
NAME = "web"


@dataclass(frozen=True, slots=True)
class Asked:
    """`names`: all that lead to the app, whole. `is_open`: there is something behind them, and no maintenance."""

    hosts: tuple[str, ...]
    domains: tuple[str, ...] = ()
    has_web: bool = True
    maintenance: bool = False

    @property
    def is_open(self) -> bool:
        return self.has_web and not self.maintenance

    def names(self, apps_domain: str) -> tuple[str, ...]:
        return (*(f"{host}.{apps_domain}" for host in self.hosts), *self.domains)

    def without(self, names: frozenset[str], apps_domain: str) -> Asked:
        hosts = tuple(host for host in self.hosts if f"{host}.{apps_domain}" not in names)
        return replace(self, hosts=hosts, domains=tuple(each for each in self.domains if each not in names))

    def text(self) -> str:
        value = {"hosts": self.hosts, "domains": self.domains, "web": self.has_web, "maintenance": self.maintenance}
        return json.dumps(value, separators=(",", ":"))

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Asked | None:
        """None for an object that somebody else made, or whose note was spoiled."""
        try:
            value = json.loads(found["metadata"]["annotations"][ASKED])
            return cls(
                tuple(map(str, value["hosts"])),
                tuple(map(str, value["domains"])),
                bool(value["web"]),
                bool(value["maintenance"]),
            )
        except (KeyError, TypeError, ValueError):
            return None


def check(route: AppRoute) -> None:
    """Raises InvalidInput with every name that no host can have."""
    if problems := route.wrong_names():
        raise InvalidInput(f"the route of app {route.app_id} is not right", problems=problems)


def http_route(
    metadata: Mapping[str, Any], names: Sequence[str], service: str, port: int, gateway: str
) -> dict[str, Any]:
    """Whole, with what the API would add by itself, so that what is there can be compared with it. `gateway`:
    NAMESPACE/NAME.
    """
    namespace, _, name = gateway.partition("/")
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": namespace, "name": name}
    backend = {"group": "", "kind": "Service", "name": service, "port": port, "weight": 1}
    rule = {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": [backend]}
    return {
        "apiVersion": GATEWAY_API,
        "kind": "HTTPRoute",
        "metadata": dict(metadata),
        "spec": {"parentRefs": [parent], "hostnames": list(names), "rules": [rule]},
    }


def ingress(metadata: Mapping[str, Any], names: Sequence[str], service: str, port: int, klass: str) -> dict[str, Any]:
    """`klass`: "" for a cluster whose controller takes Ingresses without one."""
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": port}}}}
    return {
        "apiVersion": INGRESS_API,
        "kind": "Ingress",
        "metadata": dict(metadata),
        "spec": {
            **({"ingressClassName": klass} if klass else {}),
            "rules": [{"host": name, "http": {"paths": [path]}} for name in names],
        },
    }


def closed(metadata: Mapping[str, Any], nobody: Mapping[str, str], port: int) -> dict[str, Any]:
    """A Service that no pod is behind: what a gateway or an ingress controller answers for it is 503. `nobody`: labels
    that no pod has.
    """
    ports = [{"name": "http", "port": port, "protocol": "TCP", "targetPort": port}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": dict(metadata),
        "spec": {"type": "ClusterIP", "selector": dict(nobody), "ports": ports},
    }


def covers(found: Any, wanted: Any) -> bool:
    """Whether `found` has all of `wanted`, whatever else the API or others have added to it; lists must be as long."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and covers(found[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(covers(one, other) for one, other in zip(found, wanted, strict=True))
        )
    return bool(found == wanted)
