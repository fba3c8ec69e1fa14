"""The router's table as a value: which hosts lead to which processes, and which older processes still have requests in
flight. Pure; `store` keeps it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable
from wherry.domain.workload import AppRoute, Endpoint

MOST_DRAINING = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One app: where its new requests go, and the routes it had before whose requests may not have ended yet (newest
    first, without hosts: none leads there).
    """

    route: AppRoute
    draining: tuple[AppRoute, ...] = ()

    @property
    def gone(self) -> frozenset[Endpoint]:
        """Processes that get no new requests any more. One that is kept (a scale) needs no drain."""
        earlier = {endpoint for each in self.draining for endpoint in each.endpoints}
        return frozenset(earlier - set(self.route.endpoints))


@dataclass(frozen=True)
class Table:
    """Never changed: each method returns the next table. `version` grows with every change."""

    version: int = 0
    entries: Mapping[int, Entry] = field(default_factory=dict)

    def published(self, route: AppRoute) -> Table:
        """With this route for its app. A host that another app had is this app's now: one host never has two, since
        Envoy would refuse the whole table. Raises InvalidInput for a host or an endpoint outside the grammar.
        """
        check(route)
        entries = {app_id: _without_hosts(entry, route) for app_id, entry in self.entries.items()}
        entries[route.app_id] = _next(self.entries.get(route.app_id), route)
        return Table(self.version, entries)

    def replaced(self, routes: Iterable[AppRoute]) -> Table:
        """With exactly these apps. Raises InvalidInput as `published` does."""
        entries: dict[int, Entry] = {}
        owners: dict[str, int] = {}
        for route in routes:
            check(route)
            names = (*route.hosts, *route.domains)
            for owner in {owners[name] for name in names if name in owners}:
                entries[owner] = _without_hosts(entries[owner], route)
            owners |= dict.fromkeys(names, route.app_id)
            entries[route.app_id] = _next(self.entries.get(route.app_id), route)
        return Table(self.version, entries)

    def drained(self, app_id: int) -> Table:
        entry = self.entries.get(app_id)
        if entry is None or not entry.draining:
            return self
        return Table(self.version, {**self.entries, app_id: replace(entry, draining=())})

    def amended(self, app_id: int, domains: Sequence[str], maintenance: bool) -> Table:
        """With these custom domains and this maintenance in the route of the app. Raises InvalidInput as `published`
        does.
        """
        entry = self.entries.get(app_id)
        if entry is None:
            return self
        return self.published(replace(entry.route, domains=tuple(domains), maintenance=maintenance))

    def withdrawn(self, app_id: int) -> Table:
        return Table(self.version, {key: entry for key, entry in self.entries.items() if key != app_id})


def check(route: AppRoute) -> None:
    """Raises InvalidInput with every fault: one bad entry would make the data plane refuse the table of all apps."""
    problems = route.wrong_names()
    for endpoint in route.endpoints:
        try:
            ipaddress.ip_address(endpoint.address)
        except ValueError:
            problems.append(f"endpoint '{printable(endpoint.address, 80)}' is not an IP address")
        if not 0 < endpoint.port < 65536:
            problems.append(f"endpoint port {endpoint.port} is not between 1 and 65535")
    if problems:
        raise InvalidInput(f"the route of app {route.app_id} is not right", problems=problems)


def _next(before: Entry | None, route: AppRoute) -> Entry:
    if before is None:
        return Entry(route)
    earlier = [each for each in (before.route, *before.draining) if _target(each) != _target(route)]
    return Entry(
        route, tuple(replace(each, hosts=(), domains=()) for each in earlier if each.endpoints)[:MOST_DRAINING]
    )


def _target(route: AppRoute) -> tuple[int, tuple[Endpoint, ...]]:
    return route.release, route.endpoints


def _without_hosts(entry: Entry, taker: AppRoute) -> Entry:
    taken = {*taker.hosts, *taker.domains}
    if entry.route.app_id == taker.app_id or not taken & {*entry.route.hosts, *entry.route.domains}:
        return entry
    hosts = tuple(host for host in entry.route.hosts if host not in taken)
    domains = tuple(name for name in entry.route.domains if name not in taken)
    return replace(entry, route=replace(entry.route, hosts=hosts, domains=domains))
