"""The port Router on Envoy."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from wherry.domain.errors import PlatformFault
from wherry.domain.workload import AppRoute
from wherry.flow.ports import Cancel
from wherry.routing.access import cap
from wherry.routing.admin import Admin, NotRunning
from wherry.routing.bootstrap import Place
from wherry.routing.envoy import cluster_name
from wherry.routing.feed import PATIENCE, Feed, FileFeed, Rejected
from wherry.routing.store import TableFile, version_after
from wherry.routing.table import Entry, Table

log = logging.getLogger(__name__)

# A request that a thread of Envoy had read just before the switch is counted a moment after it, and no event tells
# when: so "none in flight" must be seen twice, this many seconds apart.
SETTLED = 0.025
_LONGEST_PAUSE = 0.2


class EnvoyRouter:
    """`folder`: the router's own in the data folder. `patience`: seconds that the data plane has to take a change.
    Safe from any thread and any process at the same time.
    """

    def __init__(self, folder: Path, apps_domain: str, feed: Feed | None = None, patience: float = PATIENCE) -> None:
        place = Place(folder)
        self._place = place
        self._file = TableFile(folder)
        self._admin = Admin(place.admin)
        self._feed = feed or FileFeed(place, apps_domain, patience)

    def publish(self, route: AppRoute) -> None:
        """The table is durable first. When Envoy is down, it starts with this route, and PlatformFault is raised
        after `patience`. Raises InvalidInput for a route that Envoy would refuse.
        """
        with self._file.writing():
            before = self._file.read()
            version = self._bring(before, before.published(route))
        self._feed.confirm(version)
        cap(self._place)

    def drain(self, app_id: int, release: int, seconds: float, cancel: Cancel) -> bool:
        """Also waits for processes that this release itself has no more (a scale-down). Processes that are kept are
        not waited for.
        """
        entry = self._file.read().entries.get(app_id)
        if entry is None or not entry.draining:
            return True
        ended = self._wait_until_empty(entry, seconds, cancel)
        if cancel.cancelled and not ended:
            return False
        with self._file.writing():
            table = self._file.read()
            if table.entries.get(app_id) == entry:
                self._file.write(table.drained(app_id))  # its clusters go with the next change: no route leads there
        return ended

    def amend(self, app_id: int, domains: Sequence[str], *, maintenance: bool) -> None:
        with self._file.writing():
            before = self._file.read()
            version = self._bring(before, before.amended(app_id, domains, maintenance))
        self._feed.confirm(version)

    def withdraw(self, app_id: int) -> None:
        with self._file.writing():
            before = self._file.read()
            version = self._bring(before, before.withdrawn(app_id))
        self._feed.confirm(version)

    def replace(self, routes: Sequence[AppRoute]) -> None:
        with self._file.writing():
            before = self._last_known()
            version = self._bring(before, before.replaced(routes))
        self._feed.confirm(version)
        cap(self._place)

    def _bring(self, before: Table, after: Table) -> int:
        """From one table to the next; the version to wait for. What the data plane already has is not sent again."""
        if after.entries == before.entries:
            if not self._feed.holds(before):
                self._feed.put(before, before)
            return before.version
        after = replace(after, version=version_after(before.version))
        self._file.write(after)
        try:
            self._feed.put(before, after)
        except Rejected:
            back = replace(before, version=version_after(after.version))
            self._file.write(back)
            self._feed.put(before, back)
            raise
        return after.version

    def _last_known(self) -> Table:
        try:
            return self._file.read()
        except PlatformFault as error:
            log.warning("%s; written anew", error.message)
            return Table()

    def _wait_until_empty(self, entry: Entry, seconds: float, cancel: Cancel) -> bool:
        deadline, cancelled = time.monotonic() + seconds, Event()
        cancel.on_cancel(cancelled.set)
        names = [cluster_name(each) for each in entry.draining]
        pause, quiet_since = SETTLED, None
        while entry.gone:
            try:
                active = self._admin.active(names)
            except NotRunning:
                return True  # the requests ended with it
            now = time.monotonic()
            if not any(active.get(endpoint, 0) for endpoint in entry.gone):
                if quiet_since is not None and now - quiet_since >= SETTLED:
                    return True
                quiet_since = quiet_since or now
                pause = SETTLED
            else:
                quiet_since = None
                pause = min(_LONGEST_PAUSE, pause * 1.5)
            if now >= deadline or cancelled.wait(max(0.0, min(pause, deadline - now))):
                return False
        return True
