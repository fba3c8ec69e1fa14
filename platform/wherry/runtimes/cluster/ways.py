"""Which of a cluster's doors the apps' visitors come through: a Gateway where there is one, else Ingresses of a class."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import NotFound, PlatformFault
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.kinds import GATEWAY, HTTP_ROUTE, INGRESS, INGRESS_CLASS, Kind, Object

_DEFAULT = "ingressclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True)
class Way:
    """One of the two. `gateway`: NAMESPACE/NAME."""

    gateway: str = ""
    ingress_class: str = ""

    @property
    def kind(self) -> Kind:
        return HTTP_ROUTE if self.gateway else INGRESS

    def __str__(self) -> str:
        if self.gateway:
            return f"HTTPRoutes of the Gateway {self.gateway}"
        return f"Ingresses of the class {self.ingress_class}"


def find(client: Client, gateway: str = "", ingress_class: str = "") -> Way:
    """As the settings say, else the only Gateway, else the default class of Ingress. Raises PlatformFault where there is
    none, or more than one to choose from.
    """
    if gateway:
        return _named(client, gateway)
    if ingress_class:
        return Way(ingress_class=ingress_class)
    gateways = [_place(each) for each in _all(client, GATEWAY)]
    if len(gateways) == 1:
        return Way(gateway=gateways[0])
    if gateways:
        raise PlatformFault(
            f"the cluster has {len(gateways)} Gateways, and the settings name none: {', '.join(sorted(gateways)[:10])}",
            hint="To choose one: WHERRY_GATEWAY=NAMESPACE/NAME",
        )
    return Way(ingress_class=_default_class(_all(client, INGRESS_CLASS)))


def _named(client: Client, gateway: str) -> Way:
    namespace, _, name = gateway.partition("/")
    try:
        client.get(GATEWAY, namespace, name)
    except NotFound as error:
        raise PlatformFault(
            f"the cluster has no Gateway {gateway} (gateway.networking.k8s.io/v1)",
            hint="To see what it has: kubectl get gateways -A. It is named by WHERRY_GATEWAY.",
        ) from error
    return Way(gateway=gateway)


def _default_class(classes: list[Object]) -> str:
    names = [each["metadata"]["name"] for each in classes]
    defaults = [
        each["metadata"]["name"]
        for each in classes
        if (each["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"
    ]
    chosen = defaults if len(defaults) == 1 else names if len(names) == 1 else []
    if chosen:
        return str(chosen[0])
    what = (
        "no Gateway and no class of Ingress" if not names else f"no default class of Ingress among: {', '.join(names)}"
    )
    raise PlatformFault(
        f"nothing leads visitors to the apps: the cluster has {what}",
        hint="Install a gateway or an ingress controller; to choose one: WHERRY_GATEWAY or WHERRY_INGRESS_CLASS",
    )


def _all(client: Client, kind: Kind) -> list[Object]:
    """None where the cluster does not know the kind."""
    try:
        return client.list(kind)[0]
    except NotFound:
        return []


def _place(found: Object) -> str:
    return f"{found['metadata']['namespace']}/{found['metadata']['name']}"
