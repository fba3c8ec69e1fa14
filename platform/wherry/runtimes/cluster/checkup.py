"""What `wherry doctor` asks of a cluster: does it answer, may we do what we must, do visitors reach the apps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from wherry.domain.errors import WherryError
from wherry.runtimes.cluster import ways
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.transport import Call

OLDEST = 30
"""The minor version from which on a pod can pause before its end, and a program's input be ended."""
_SOON = timedelta(days=7)
_KEEP = ("get", "list", "watch", "create", "patch", "delete")
_MAKE = ("get", "list", "create", "delete")
RIGHTS: Mapping[tuple[str, str], Sequence[str]] = {
    ("", "namespaces"): _KEEP,
    ("", "pods"): _KEEP,
    ("", "pods/log"): ("get",),
    ("", "pods/exec"): ("get", "create"),
    ("", "pods/attach"): ("get", "create"),
    ("", "secrets"): _KEEP,
    ("", "services"): _KEEP,
    ("", "serviceaccounts"): _KEEP,
    ("", "resourcequotas"): _KEEP,
    ("", "limitranges"): _KEEP,
    ("", "persistentvolumeclaims"): _KEEP,
    ("", "events"): ("list",),
    ("discovery.k8s.io", "endpointslices"): ("list", "watch"),
    ("apps", "deployments"): _KEEP,
    ("apps", "replicasets"): ("list",),
    ("batch", "jobs"): _MAKE,
    ("networking.k8s.io", "networkpolicies"): _KEEP,
    ("policy", "poddisruptionbudgets"): _KEEP,
    ("autoscaling", "horizontalpodautoscalers"): _KEEP,
}
"""All that we do there, by API group and resource; that of the way in which visitors come is beside it."""
_OF_WAYS: Mapping[str, Mapping[tuple[str, str], Sequence[str]]] = {
    "HTTPRoute": {("gateway.networking.k8s.io", "httproutes"): ("list", "watch", "create", "patch", "delete")},
    "Ingress": {("networking.k8s.io", "ingresses"): ("list", "create", "patch", "delete")},
}


@dataclass(frozen=True, slots=True)
class Answer:
    question: str
    good: bool
    answer: str
    mend: str = ""


def examine(client: Client, gateway: str, ingress_class: str) -> list[Answer]:
    """In the order in which they should be mended; without a cluster that answers there is only that."""
    try:
        version = client.json(Call("GET", "/version", "ask for its version"))
    except WherryError as error:
        return [
            Answer("cluster", False, error.message, "Is WHERRY_KUBECONFIG right? kubectl --kubeconfig FILE version")
        ]
    answers = [_version(client, version), *_login(client), _metrics(client)]
    try:
        way = ways.find(client, gateway, ingress_class)
    except WherryError as error:
        return [*answers, _rights(client, RIGHTS), Answer("visitors", False, error.message, error.hint)]
    rights = _rights(client, {**RIGHTS, **_OF_WAYS[way.kind.name]})
    return [*answers, rights, Answer("visitors", True, f"come through {way}")]


def _version(client: Client, version: Object) -> Answer:
    minor = "".join(filter(str.isdigit, str(version.get("minor", ""))))
    good = not minor or int(minor) >= OLDEST
    answer = f"Kubernetes {version.get('gitVersion', '')} at {client.credentials.door().url}"
    return Answer("cluster", good, answer, f"Apps need Kubernetes 1.{OLDEST} or newer.")


def _metrics(client: Client) -> Answer:
    """Without them apps run all the same, but no autoscaler of cpu or memory does anything."""
    try:
        client.json(Call("GET", "/apis/metrics.k8s.io/v1beta1", "ask whether it measures pods"))
    except WherryError:
        return Answer("scaling by load", True, "not by cpu or memory: the cluster has no metrics server that answers")
    return Answer("scaling by load", True, "by cpu and memory, which the cluster's metrics server measures")


def _login(client: Client) -> list[Answer]:
    ends = client.credentials.ends()
    if ends is None or ends - datetime.now(UTC) > _SOON:
        return []
    renewed = ends - datetime.now(UTC) < timedelta(hours=24)  # by the cluster itself, for a pod
    answer = f"our credentials end on {ends:%Y-%m-%d %H:%M} UTC"
    return [Answer("login at the cluster", renewed, answer, "Put newer ones into the file of WHERRY_KUBECONFIG.")]


def _rights(client: Client, rights: Mapping[tuple[str, str], Sequence[str]]) -> Answer:
    asked = [(group, resource, verb) for (group, resource), verbs in rights.items() for verb in verbs]
    try:
        missing = [f"{verb} {resource}" for group, resource, verb in asked if not _may(client, group, resource, verb)]
    except WherryError as error:
        return Answer("rights in the cluster", False, error.message)
    answer = f"may not: {', '.join(missing)}" if missing else "all that are needed"
    return Answer(
        "rights in the cluster", not missing, answer, "docs/operations.md, 'Rights in the cluster', has the list."
    )


def _may(client: Client, group: str, resource: str, verb: str) -> bool:
    name, _, part = resource.partition("/")
    wanted: dict[str, Any] = {"group": group, "resource": name, "verb": verb, **({"subresource": part} if part else {})}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": wanted},
    }
    return client.allowed(review)
