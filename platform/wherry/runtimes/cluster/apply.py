"""Brings objects into the cluster, and takes them away: only what is ours, and only what is not as it should be."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from wherry.domain.errors import Conflict, PlatformFault
from wherry.domain.text import printable
from wherry.runtimes.cluster import kinds
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errors import HINT
from wherry.runtimes.cluster.kinds import Kind, Object, kind_of
from wherry.runtimes.cluster.world import ONLY_METADATA, World

KEPT = (
    kinds.NAMESPACE,
    kinds.RESOURCE_QUOTA,
    kinds.LIMIT_RANGE,
    kinds.SERVICE_ACCOUNT,
    kinds.NETWORK_POLICY,
    kinds.SECRET,
    kinds.SERVICE,
    kinds.DEPLOYMENT,
    kinds.DISRUPTION_BUDGET,
    kinds.AUTOSCALER,
    kinds.VOLUME_CLAIM,
)
"""What we keep as it should be; a change by others to one of these is repaired."""
_GONE = 30.0


class Applier:
    def __init__(self, client: Client, world: World) -> None:
        self._client = client
        self._world = world

    def ensure(self, wanted: Object) -> Object:
        """Writes only when the cluster has it differently. Raises Refused, PlatformFault."""
        live = self._live(wanted)
        if live and holds(wanted, live):
            return live
        made = self._client.apply(wanted)
        self._world.put(made)
        return made

    def ensure_once(self, wanted: Object) -> None:
        """For what never changes under its name."""
        if self._live(wanted):
            return
        with suppress(Conflict):  # another worker was faster
            self._world.put(self._client.create(wanted))

    def take_away(self, kind: Kind, namespace: str, names: Iterable[str]) -> None:
        """Of those that are there. Returns when the watch has told that they are gone."""
        going = sorted(set(names) & self._world.names(kind, namespace))
        for name in going:
            self._client.delete(kind, namespace, name)
        self._world.wait_for(lambda: not set(going) & self._world.names(kind, namespace), _GONE)

    def check_namespace(self, name: str) -> None:
        """Raises PlatformFault for one that is being deleted: nothing can be made in it, and its name is not free."""
        live = self._world.get(kinds.NAMESPACE, name, name)
        if live and live.get("status", {}).get("phase") == "Terminating":
            raise PlatformFault(f"the namespace {name} is being deleted", evidence=why_stuck(live), hint=HINT)

    def _live(self, wanted: Object) -> Object | None:
        about = wanted["metadata"]
        return self._world.get(kind_of(wanted), about.get("namespace", about["name"]), about["name"])


def why_stuck(namespace: Object) -> list[str]:
    """What the server says of a namespace that does not go."""
    conditions = namespace.get("status", {}).get("conditions", ())
    return [printable(each.get("message", ""), 500) for each in conditions if each.get("status") == "True"]


def holds(wanted: Object, live: Object) -> bool:
    """Whether `live` has all that `wanted` has; more may be there, from the server's defaults or from others."""
    if kind_of(wanted) in ONLY_METADATA:
        wanted = {"metadata": wanted["metadata"]}
    return _has(wanted, live)


def _has(wanted: Any, live: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(key in live and _has(each, live[key]) for key, each in wanted.items())
    if isinstance(wanted, list):
        return isinstance(live, list) and _all_there(wanted, live)
    return bool(wanted == live)


def _all_there(wanted: list[Any], live: list[Any]) -> bool:
    """Lists of named things are compared by name, as the server merges them; others as they are."""
    if wanted and all(isinstance(each, dict) and "name" in each for each in wanted):
        named = {each.get("name"): each for each in live if isinstance(each, dict)}
        return all(each["name"] in named and _has(each, named[each["name"]]) for each in wanted)
    return len(wanted) == len(live) and all(map(_has, wanted, live))
