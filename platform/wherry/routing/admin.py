"""Questions to a running Envoy through its admin socket, which only the platform's user can open."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wherry.domain.errors import PlatformFault
from wherry.domain.workload import Endpoint
from wherry.routing.envoy import ROUTES

_CDS = "cluster_manager.cds."
_RDS = f"http.router.rds.{ROUTES}."


class NotRunning(PlatformFault):
    """No Envoy answers at the socket."""


@dataclass(frozen=True, slots=True)
class State:
    """The versions of clusters and routes that Envoy works with ("" and 0 before the first), and how many documents
    it has refused since its start.
    """

    clusters: str
    routes: int
    rejected: int


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10.0)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Admin:
    def __init__(self, path: Path) -> None:
        self.path = path

    def ready(self) -> bool:
        """Whether it serves with its first table."""
        try:
            return self._ask("GET", "/ready")[0] == 200
        except NotRunning:
            return False

    def state(self) -> State:
        """Raises NotRunning."""
        found = {each["name"]: each.get("value", 0) for each in self._stats("(version_text|update_rejected)$")}
        routes = str(found.get(_RDS + "version_text", ""))
        return State(
            clusters=str(found.get(_CDS + "version_text", "")),
            routes=int(routes) if routes.isdecimal() else 0,
            rejected=int(found.get(_CDS + "update_rejected", 0)) + int(found.get(_RDS + "update_rejected", 0)),
        )

    def active(self, clusters: Iterable[str]) -> dict[Endpoint, int]:
        """Requests in flight by process, of these clusters. Raises NotRunning."""
        pattern = "|".join(re.escape(name) for name in clusters)
        answer = json.loads(self._ask("GET", f"/clusters?format=json&filter={quote(f'^({pattern})$')}")[1])
        found: dict[Endpoint, int] = {}
        for cluster in answer.get("cluster_statuses", []):
            for host in cluster.get("host_statuses", []):
                address = host["address"]["socket_address"]
                endpoint = Endpoint(address["address"], address["port_value"])
                found[endpoint] = found.get(endpoint, 0) + _gauge(host, "rq_active")
        return found

    def reopen_logs(self) -> None:
        """Raises NotRunning."""
        self._ask("POST", "/reopen_logs")

    def _stats(self, pattern: str) -> list[dict[str, Any]]:
        answer = json.loads(self._ask("GET", f"/stats?format=json&filter={quote(pattern)}")[1])
        return [each for each in answer["stats"] if "name" in each]

    def _ask(self, method: str, target: str) -> tuple[int, bytes]:
        connection = _Connection(self.path)
        try:
            connection.request(method, target)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise NotRunning(
                f"the router does not answer: {error}", hint="To see why: wherry status, and log/router.log"
            ) from error
        finally:
            connection.close()


def _gauge(host: dict[str, Any], name: str) -> int:
    return sum(int(each.get("value", 0)) for each in host.get("stats", []) if each["name"] == name)
