"""The port Router on a cluster: one HTTPRoute an app, or one Ingress, which leads to the Service of its web processes.

Which pods get requests is the Service's to know, so most rollouts change nothing here. Whoever stops a pod drains it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from wherry.domain.errors import NotFound, PlatformFault, WherryError
from wherry.domain.workload import AppRoute
from wherry.flow.ports import Cancel
from wherry.runtimes.cluster import namespace, naming, route, ways
from wherry.runtimes.cluster.accepted import await_accepted
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.kinds import HTTP_ROUTE, INGRESS, SERVICE, Kind, Object
from wherry.runtimes.cluster.route import Asked
from wherry.runtimes.cluster.switch import await_switch
from wherry.runtimes.cluster.ways import Way

log = logging.getLogger(__name__)
PATIENCE = 30.0
SERVICE_PORT = 80
_MOST_NAMES = {HTTP_ROUTE: 16, INGRESS: 10_000}  # of one object; the Gateway API sets the first
_NOBODY = "none.invalid"  # without any name an object would take the visitors of all names (RFC 2606)
Found = Mapping[str, Object]


class ClusterRouter:
    """`gateway`, `ingress_class`: as the settings have them, "" for what the cluster says by itself. `patience`: seconds
    that the gateway's controller has to take a route. Safe from any thread and any process at the same time.
    """

    def __init__(
        self,
        client: Client,
        platform: str,
        apps_domain: str,
        gateway: str = "",
        ingress_class: str = "",
        patience: float = PATIENCE,
    ) -> None:
        self._client = client
        self._platform = platform
        self._apps_domain = apps_domain
        self._asked_way = (gateway, ingress_class)
        self._patience = patience
        self._way: Way | None = None

    def publish(self, wanted: AppRoute) -> None:
        """Returns once the gateway's controller has accepted the route (an Ingress has no such sign), and the Service leads
        to no other release. Raises PlatformFault with what the controller says against it, InvalidInput for a name that
        no host can have.
        """
        route.check(wanted)
        way = self._find_way()
        found = self._found(way.kind, wanted.app_id)
        self._bring(way, wanted.app_id, self._asked(wanted), found)
        if wanted.endpoints:
            await_switch(self._client, self._namespace(wanted.app_id), self._platform, wanted)

    def drain(self, app_id: int, release: int, seconds: float, cancel: Cancel) -> bool:
        """Nothing to wait for: a pod that is stopped has left the Service, and ends its requests, before its program hears
        of it.
        """
        return True

    def amend(self, app_id: int, domains: Sequence[str], *, maintenance: bool) -> None:
        way = self._find_way()
        found = self._found(way.kind, app_id)
        if before := _asked_of(found):
            asked = replace(before, domains=tuple(domains), maintenance=maintenance)
            route.check(AppRoute(app_id, asked.hosts, domains=asked.domains))
            self._bring(way, app_id, asked, found)

    def withdraw(self, app_id: int) -> None:
        """Whichever way it came: the cluster may have lost it since."""
        for kind in (HTTP_ROUTE, INGRESS):
            with suppress(NotFound):  # the cluster does not know that kind
                self._remove(kind, app_id, self._found(kind, app_id))
        self._client.delete(SERVICE, self._namespace(app_id), route.CLOSED)

    def replace(self, routes: Sequence[AppRoute]) -> None:
        """An app whose route cannot be brought does not hold back the others. Raises the first such PlatformFault."""
        for each in routes:
            route.check(each)
        self._way = None  # the cluster may have another door by now
        way = self._find_way()
        there = self._by_app(way.kind)
        faults = []
        for each in routes:
            try:
                self._bring(way, each.app_id, self._asked(each), there.get(each.app_id, {}), wait=False)
            except WherryError as error:
                log.warning("the route of app %s: %s", each.app_id, " | ".join(error.lines()))
                faults.append(error)
        for app_id in there.keys() - {each.app_id for each in routes}:
            self._remove(way.kind, app_id, there[app_id])
        self._remove_of_another_way(way)
        if faults:
            raise PlatformFault(faults[0].message, evidence=faults[0].evidence, hint=faults[0].hint)

    def _asked(self, wanted: AppRoute) -> Asked:
        has_web = bool(wanted.endpoints) or self._has_service(wanted.app_id)
        return Asked(wanted.hosts, wanted.domains, has_web, wanted.maintenance)

    def _has_service(self, app_id: int) -> bool:
        """Processes that are not ready just now have no endpoints, and come back by themselves."""
        try:
            self._client.get(SERVICE, self._namespace(app_id), route.NAME)
        except NotFound:
            return False
        return True

    def _bring(self, way: Way, app_id: int, asked: Asked, found: Found, *, wait: bool = True) -> None:
        """What is there as it should be is not written again."""
        wanted = {each["metadata"]["name"]: each for each in self._objects(way, app_id, asked)}
        stale = [each for name, each in wanted.items() if not _is_there(found.get(name), each)]
        if stale:
            before = _asked_of(found)
            had = before.names(self._apps_domain) if before else ()
            self._take_from_others(way, app_id, frozenset(asked.names(self._apps_domain)) - frozenset(had))
            if not asked.is_open:
                self._apply(app_id, asked, self._closed(app_id))
        written = {name: self._apply(app_id, asked, each) for name, each in wanted.items() if each in stale}
        self._remove(way.kind, app_id, {name: each for name, each in found.items() if name not in wanted})
        if way.gateway and wait:
            there = {name: written.get(name) or found[name] for name in wanted}
            labels = naming.of_platform(self._platform, app_id)
            await_accepted(self._client, way.gateway, self._namespace(app_id), labels, there, self._patience)

    def _take_from_others(self, way: Way, app_id: int, names: frozenset[str]) -> None:
        """A name leads to one app: to the one that had it last. Raises PlatformFault."""
        if not names:
            return
        for other, found in self._by_app(way.kind).items():
            before = _asked_of(found)
            if other != app_id and before and names & frozenset(before.names(self._apps_domain)):
                self._bring(way, other, before.without(names, self._apps_domain), found, wait=False)

    def _objects(self, way: Way, app_id: int, asked: Asked) -> list[Object]:
        """What was asked stands on the first."""
        names = asked.names(self._apps_domain) or (_NOBODY,)
        service = route.NAME if asked.is_open else route.CLOSED
        most = _MOST_NAMES[way.kind]
        made = []
        for number, start in enumerate(range(0, len(names), most), 1):
            about = self._metadata(app_id, asked, route.NAME if number == 1 else f"{route.NAME}-{number}")
            some = names[start : start + most]
            made.append(
                route.http_route(about, some, service, SERVICE_PORT, way.gateway)
                if way.gateway
                else route.ingress(about, some, service, SERVICE_PORT, way.ingress_class)
            )
        return made

    def _metadata(self, app_id: int, asked: Asked, name: str) -> Object:
        labels = naming.app_labels(self._platform, app_id, (*asked.hosts, "app")[0])
        note = {"annotations": {route.ASKED: asked.text()}} if name == route.NAME else {}
        return {"namespace": self._namespace(app_id), "name": name, "labels": labels, **note}

    def _closed(self, app_id: int) -> Object:
        labels = {naming.PLATFORM: self._platform, naming.APP: str(app_id)}
        about = {"namespace": self._namespace(app_id), "name": route.CLOSED, "labels": labels}
        return route.closed(about, {**labels, naming.PROCESS: "none"}, SERVICE_PORT)

    def _apply(self, app_id: int, asked: Asked, wanted: Object) -> Object:
        """An app that was never released has no namespace yet."""
        try:
            return self._client.apply(wanted)
        except NotFound:
            self._client.apply(namespace.alone(self._platform, app_id, (*asked.hosts, "app")[0]))
            return self._client.apply(wanted)

    def _found(self, kind: Kind, app_id: int) -> Found:
        labels = naming.of_platform(self._platform, app_id)
        return _by_name(self._client.list(kind, self._namespace(app_id), labels=labels)[0])

    def _by_app(self, kind: Kind) -> dict[int, Found]:
        apps: dict[int, list[Object]] = {}
        for each in self._client.list(kind, labels=naming.of_platform(self._platform))[0]:
            if who := naming.Identity.of(each["metadata"].get("labels") or {}):
                apps.setdefault(who.app_id, []).append(each)
        return {app_id: _by_name(objects) for app_id, objects in apps.items()}

    def _remove(self, kind: Kind, app_id: int, found: Found) -> None:
        for name in found:
            self._client.delete(kind, self._namespace(app_id), name)

    def _remove_of_another_way(self, way: Way) -> None:
        other = INGRESS if way.kind is HTTP_ROUTE else HTTP_ROUTE
        try:
            left = self._by_app(other)
        except NotFound:
            return  # the cluster does not know that kind
        for app_id, found in left.items():
            self._remove(other, app_id, found)

    def _find_way(self) -> Way:
        if self._way is None:
            self._way = ways.find(self._client, *self._asked_way)
        return self._way

    def _namespace(self, app_id: int) -> str:
        return naming.namespace(self._platform, app_id)


def _is_there(found: Object | None, wanted: Object) -> bool:
    """In a list, objects do not say of which kind they are."""
    return found is not None and all(route.covers(found.get(part), wanted[part]) for part in ("metadata", "spec"))


def _asked_of(found: Found) -> Asked | None:
    return Asked.of(found[route.NAME]) if route.NAME in found else None


def _by_name(objects: Iterable[Object]) -> dict[str, Object]:
    return {each["metadata"]["name"]: each for each in objects if "deletionTimestamp" not in each["metadata"]}
