"""How a table comes to Envoy. One seam, so that what is linear today can be replaced alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Protocol

from wherry.domain.errors import PlatformFault
from wherry.routing.admin import Admin, NotRunning, State
from wherry.routing.bootstrap import Place
from wherry.routing.envoy import Clusters, cds, cds_version, clusters, rds
from wherry.routing.table import Table
from wherry.whole import write_whole

PATIENCE = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.020


class Rejected(PlatformFault):
    """Envoy refused a document and goes on with the one before."""


class Feed(Protocol):
    """Brings one table after the other to the data plane. It is given both, so that it may send the difference."""

    def put(self, before: Table, after: Table) -> None:
        """Only by one writer at a time. No request fails on the way from `before` to `after`. When the data plane is
        down it finds `after` at its start. Raises Rejected, and PlatformFault when it does not take it in time.
        """

    def holds(self, table: Table) -> bool:
        """Whether the data plane works with the routes of this very table."""

    def confirm(self, version: int) -> None:
        """Waits until the data plane works with this version or a later one. Raises PlatformFault."""


class FileFeed:
    """Two files that Envoy watches. Both hold everything, so a change costs time in proportion to the number of apps
    (bench/routes.py measures it): a delta feed over gRPC can take this class's place behind `Feed`.
    """

    def __init__(self, place: Place, apps_domain: str, patience: float = PATIENCE) -> None:
        self._place = place
        self._domain = apps_domain
        self._admin = Admin(place.admin)
        self._patience = patience

    def put(self, before: Table, after: Table) -> None:
        """New clusters before the routes that need them, old clusters away after the routes that needed them."""
        both, wanted = clusters(after, also=before), clusters(after)
        try:
            state = self._admin.state()
        except NotRunning:
            self.write(after)  # it reads both files at its start
            return
        if state.clusters != cds_version(both):
            self._write_clusters(both)
            self._wait(lambda now: now.clusters == cds_version(both), state.rejected)
        self._write_routes(after)
        self._wait(lambda now: now.routes >= after.version, state.rejected)
        if wanted != both:
            self._write_clusters(wanted)

    def holds(self, table: Table) -> bool:
        try:
            state = self._admin.state()
        except NotRunning:
            return False
        return state.routes == table.version

    def confirm(self, version: int) -> None:
        self._wait(lambda state: state.routes >= version)

    def write(self, table: Table) -> None:
        """Both files, for an Envoy that is about to start."""
        self._write_clusters(clusters(table))
        self._write_routes(table)

    def _write_routes(self, table: Table) -> None:
        self._write(self._place.rds.name, json.dumps(rds(table, self._domain)))

    def _write_clusters(self, wanted: Clusters) -> None:
        self._write(self._place.cds.name, json.dumps(cds(wanted)))

    def _write(self, name: str, text: str) -> None:
        try:
            write_whole(self._place.folder / name, text.encode(), durable=False)
        except OSError as error:
            raise PlatformFault(f"the router's {name} cannot be written: {error}", hint="wherry doctor") from error

    def _wait(self, reached: Callable[[State], bool], rejected: int | None = None) -> None:
        """Envoy has no event for "taken": it is asked, first after 1 ms, then less often."""
        deadline = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        trouble = "it has an older table"
        while True:
            try:
                state = self._admin.state()
                if reached(state):
                    return
                if rejected is not None and state.rejected > rejected:
                    raise Rejected("the router refused its new table", hint="Its log says why: log/router.log")
            except NotRunning as error:
                trouble = error.message
            if time.monotonic() >= deadline:
                raise PlatformFault(
                    f"the router has not taken its new table within {self._patience:g} seconds",
                    evidence=[trouble],
                    hint="To see why: wherry status, and log/router.log. It takes the table when it is up again.",
                )
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)
