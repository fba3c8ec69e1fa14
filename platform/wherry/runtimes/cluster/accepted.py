"""What the controller of a Gateway says of our HTTPRoutes (Gateway API, "RouteConditionType")."""

from __future__ import annotations

import time
from collections.abc import Mapping

from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.kinds import HTTP_ROUTE, Object

# Said of what was asked; waiting changes nothing about it. What to do:
_FINAL = {
    "NotAllowedByListeners": "Let its listeners take routes of all namespaces: allowedRoutes: {namespaces: {from: All}}",
    "NoMatchingListenerHostname": "None of its listeners is for these names: see their `hostname`.",
    "NoMatchingParent": "It has no listener for HTTP: kubectl get gateway -A -o yaml",
    "UnsupportedValue": "Its controller does not know what we ask for; tell us which one it is.",
}


def await_accepted(
    client: Client, gateway: str, namespace: str, labels: str, found: Mapping[str, Object], seconds: float
) -> None:
    """Returns once all are accepted as they are now. Raises PlatformFault when one is refused, or `seconds` ran out."""
    waiting = {name: each for name, each in found.items() if not is_accepted(each, gateway)}
    until = time.monotonic() + seconds
    while waiting:
        objects, version = client.list(HTTP_ROUTE, namespace, labels=labels)
        _take(waiting, objects, gateway)
        left = until - time.monotonic()
        if not waiting:
            return
        if left <= 0:
            raise _late(gateway, next(iter(waiting.values())))
        with client.watch(HTTP_ROUTE, version, max(1, int(left)), namespace=namespace, labels=labels) as events:
            for event in events:
                _take(waiting, [event["object"]], gateway)
                if not waiting:
                    return


def is_accepted(found: Object, gateway: str) -> bool:
    """As it is now. Raises PlatformFault when it is refused for good."""
    said = _conditions(found, gateway)
    accepted = said.get("Accepted", {})
    if accepted.get("status") == "False" and accepted.get("reason") in _FINAL:
        raise PlatformFault(
            f"the Gateway {gateway} refuses the route of {_names(found)}: {_reason(accepted)}",
            hint=_FINAL[accepted["reason"]],
        )
    return accepted.get("status") == "True" and said.get("ResolvedRefs", {}).get("status", "True") == "True"


def _take(waiting: dict[str, Object], objects: list[Object], gateway: str) -> None:
    for each in objects:
        name = each["metadata"].get("name", "")
        if name in waiting:
            waiting[name] = each
            if is_accepted(each, gateway):
                del waiting[name]


def _conditions(found: Object, gateway: str) -> dict[str, Object]:
    """By type, those that our Gateway's controller wrote of the generation that is there."""
    namespace, _, name = gateway.partition("/")
    generation = found["metadata"].get("generation", 0)
    said: dict[str, Object] = {}
    for parent in (found.get("status") or {}).get("parents") or ():
        ref = parent.get("parentRef") or {}
        if (ref.get("namespace", namespace), ref.get("name")) == (namespace, name):
            for each in parent.get("conditions") or ():
                if int(each.get("observedGeneration", generation)) >= generation:
                    said[str(each.get("type"))] = each
    return said


def _late(gateway: str, found: Object) -> PlatformFault:
    said = [each for each in _conditions(found, gateway).values() if each.get("status") != "True"]
    if said:
        message = f"the Gateway {gateway} has not taken the route of {_names(found)}: {_reason(said[0])}"
    else:
        message = f"the Gateway {gateway} says nothing of the route of {_names(found)}"
    return PlatformFault(message, hint="Does its controller run? kubectl describe gateways -A")


def _reason(condition: Object) -> str:
    reason, message = str(condition.get("reason", "")), str(condition.get("message", ""))
    return printable(f"{reason} ({message})" if message else reason, 500)


def _names(found: Object) -> str:
    names = [str(each) for each in found["spec"].get("hostnames") or ()]
    return printable(", ".join(names[:3]) + (", …" if len(names) > 3 else ""), 300)
