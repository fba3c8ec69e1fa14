"""A router in memory: an adapter of flow.ports.Router for the stories' tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Condition

from wherry.domain.workload import AppRoute, Endpoint
from wherry.flow.ports import Cancel


class MemoryRouter:
    """`routes` is the table as published; `request` is a visitor who has not been answered yet."""

    def __init__(self) -> None:
        self.routes: dict[int, AppRoute] = {}
        self._changed = Condition()
        self._in_flight: Counter[tuple[int, int, Endpoint]] = Counter()
        self._turn = 0

    def publish(self, route: AppRoute) -> None:
        with self._changed:
            self.routes[route.app_id] = route

    def drain(self, app_id: int, release: int, seconds: float, cancel: Cancel) -> bool:
        cancel.on_cancel(self._tell)
        with self._changed:
            self._changed.wait_for(lambda: cancel.cancelled or not self._left_behind(app_id), timeout=seconds)
            return not self._left_behind(app_id)

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def amend(self, app_id: int, domains: Sequence[str], *, maintenance: bool) -> None:
        with self._changed:
            if route := self.routes.get(app_id):
                self.routes[app_id] = replace(route, domains=tuple(domains), maintenance=maintenance)

    def withdraw(self, app_id: int) -> None:
        with self._changed:
            self.routes.pop(app_id, None)

    def replace(self, routes: Sequence[AppRoute]) -> None:
        with self._changed:
            self.routes = {route.app_id: route for route in routes}

    @contextmanager
    def request(self, host: str) -> Iterator[AppRoute | Endpoint | None]:
        """Where a request for this host label goes, in flight until the block ends: a process; the route, when it
        has none; None for no such app.
        """
        with self._changed:
            route = next(
                (each for each in reversed(self.routes.values()) if host in (*each.hosts, *each.domains)), None
            )
            if route is None or not route.endpoints or route.maintenance:
                endpoint = None
            else:
                self._turn += 1
                endpoint = route.endpoints[self._turn % len(route.endpoints)]
                key = (route.app_id, route.release, endpoint)
                self._in_flight[key] += 1
        try:
            yield endpoint or route
        finally:
            if route is not None and endpoint is not None:
                with self._changed:
                    self._in_flight[key] -= 1
                    self._changed.notify_all()

    def _left_behind(self, app_id: int) -> bool:
        route = self.routes.get(app_id)
        kept = set(route.endpoints) if route else set()
        return any(
            count for (app, _, endpoint), count in self._in_flight.items() if app == app_id and endpoint not in kept
        )
