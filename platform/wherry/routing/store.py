"""The table in a file: whole or not at all, one writer at a time, whichever process it is in."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wherry.domain.errors import PlatformFault
from wherry.domain.workload import AppRoute, Endpoint
from wherry.routing.table import Entry, Table
from wherry.whole import write_whole


class TableFile:
    """``table.json`` in `folder`, which exists."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "table.json"
        self._lock = folder / "table.lock"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the lock that every writer of the table and of what is made from it takes."""
        try:
            lock = self._lock.open("w")
        except OSError as error:
            raise PlatformFault(f"the router's folder cannot be written: {error}", hint="wherry doctor") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def read(self) -> Table:
        """The last table written; an empty one when there is none. Raises PlatformFault when it cannot be read."""
        try:
            return _from_json(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return Table()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise PlatformFault(
                f"the router's table {self._path} cannot be read: {error}",
                hint="The platform writes it anew at its next start: wherry down --keep-apps; wherry up --detach",
            ) from error

    def write(self, table: Table) -> None:
        """Durable when it returns. Only inside `writing`."""
        try:
            write_whole(self._path, json.dumps(_to_json(table)).encode())
        except OSError as error:
            raise PlatformFault(f"the router's table cannot be written: {error}", hint="wherry doctor") from error


def version_after(version: int) -> int:
    """Milliseconds since 1970 where possible, so that versions grow even when the file with the last one was lost."""
    return max(version + 1, time.time_ns() // 1_000_000)


def _to_json(table: Table) -> dict[str, Any]:
    return {
        "version": table.version,
        "apps": [
            {**_route_to_json(entry.route), "draining": [_route_to_json(each) for each in entry.draining]}
            for entry in table.entries.values()
        ],
    }


def _route_to_json(route: AppRoute) -> dict[str, Any]:
    endpoints = [[each.address, each.port] for each in route.endpoints]
    return {
        "app": route.app_id,
        "hosts": list(route.hosts),
        "release": route.release,
        "endpoints": endpoints,
        "maintenance": route.maintenance,
        "domains": list(route.domains),
    }


def _from_json(data: dict[str, Any]) -> Table:
    entries = {
        app["app"]: Entry(_route_from_json(app), tuple(_route_from_json(each) for each in app["draining"]))
        for app in data["apps"]
    }
    return Table(int(data["version"]), entries)


def _route_from_json(data: dict[str, Any]) -> AppRoute:
    endpoints = tuple(Endpoint(str(address), int(port)) for address, port in data["endpoints"])
    # A table of an earlier version does not say these.
    maintenance, domains = bool(data.get("maintenance")), tuple(data.get("domains", ()))
    return AppRoute(int(data["app"]), tuple(data["hosts"]), int(data["release"]), endpoints, maintenance, domains)
