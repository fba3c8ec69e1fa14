"""Waits until the Service of an app leads to no process of an earlier release: a rolling update ends them one after the
other, and the cluster tells its routers a moment later.
"""

from __future__ import annotations

import logging
import time

from wherry.domain.workload import AppRoute
from wherry.runtimes.cluster import naming, route
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errors import Gone
from wherry.runtimes.cluster.kinds import ENDPOINT_SLICE, POD, Object

log = logging.getLogger(__name__)
_PATIENCE = 15
_OF_SERVICE = f"kubernetes.io/service-name={route.NAME}"


def await_switch(client: Client, namespace: str, platform: str, wanted: AppRoute) -> None:
    """Not for ever: what is left of the old is taken away by who retires it. Raises PlatformFault."""
    stale = _addresses_of_others(client, namespace, platform, wanted)
    until = time.monotonic() + _PATIENCE
    while stale and (left := until - time.monotonic()) > 0:
        slices, version = client.list(ENDPOINT_SLICE, namespace, labels=_OF_SERVICE)
        ready = {str(each["metadata"]["name"]): _ready(each) for each in slices}
        if not _any(ready, stale):
            return
        try:
            with client.watch(
                ENDPOINT_SLICE, version, max(1, int(left)), namespace=namespace, labels=_OF_SERVICE
            ) as events:
                for event in events:
                    if event["type"] != "BOOKMARK":
                        found = event["object"]
                        ready[found["metadata"]["name"]] = set() if event["type"] == "DELETED" else _ready(found)
                    if not _any(ready, stale):
                        return
        except Gone:
            continue
    if stale:
        log.warning("app %s: processes of an earlier release than v%s still serve", wanted.app_id, wanted.release)


def _addresses_of_others(client: Client, namespace: str, platform: str, wanted: AppRoute) -> set[str]:
    labels = f"{naming.of_platform(platform, wanted.app_id)},{naming.PROCESS}=web"
    pods, _ = client.list(POD, namespace, labels=f"{labels},{naming.RELEASE}!={wanted.release}")
    found = {str((each.get("status") or {}).get("podIP", "")) for each in pods}
    return found - {""} - {each.address for each in wanted.endpoints}


def _ready(found: Object) -> set[str]:
    return {
        address
        for each in found.get("endpoints") or ()
        if (each.get("conditions") or {}).get("ready", True)
        for address in each.get("addresses") or ()
    }


def _any(ready: dict[str, set[str]], stale: set[str]) -> bool:
    return any(addresses & stale for addresses in ready.values())
