"""Visitors of apps on a real cluster: through a Gateway, and through Ingresses. 503 is an app of which nothing runs, 404 none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import urllib3
from wherry.domain.errors import PlatformFault
from wherry.domain.image import Image
from wherry.domain.workload import AppRoute
from wherry.runtimes.cluster import naming
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errands import ClusterRuntime
from wherry.runtimes.cluster.kinds import HTTP_ROUTE, INGRESS
from wherry.runtimes.cluster.router import ClusterRouter

from tests.cluster.cluster import Cluster
from tests.cluster.gateway import Gateway
from tests.cluster.keys import write_keys
from tests.runtimes.machine_world import eventually, quiet, workload

pytestmark = pytest.mark.cluster
DOMAIN = "apps.example"


class Doors:
    def __init__(self, cluster: Cluster, gateway: Gateway, platform: str, way: str) -> None:
        self.client = Client(str(cluster.kubeconfig))
        self.platform, self.way, self._gateway = platform, way, gateway
        named = {"gateway": f"{gateway.namespace}/{gateway.name}"} if way == "gateway" else {}
        ingress = {} if way == "gateway" else {"ingress_class": gateway.ingress_class}
        self.router = ClusterRouter(self.client, platform, DOMAIN, **named, **ingress)

    def status(self, host: str) -> int:
        try:
            return requests.get(f"http://{self._gateway.address}/", headers={"Host": host}, timeout=10).status_code
        except requests.ConnectionError:
            return 404  # a gateway without any route does not even listen

    def visit(self, host: str, authority: Path | None = None) -> tuple[int, str]:
        """By HTTPS where `authority` vouches for the host. (0, "") where nothing answers so."""
        address = self._gateway.tls_address if authority else self._gateway.address
        named = {"server_hostname": host, "assert_hostname": host, "ca_certs": str(authority)} if authority else {}
        url = f"http{'s' if authority else ''}://{address}"
        with urllib3.connection_from_url(url, retries=False, timeout=10, **named) as pool:
            try:
                said = pool.request("GET", "/", headers={"Host": host})
            except urllib3.exceptions.HTTPError:
                return 0, ""
        return said.status, said.data.decode()

    def writes(self) -> int:
        return sum(self.client.sent[each] for each in ("APPLY", "CREATE", "PATCH", "DELETE"))


@pytest.fixture(params=["gateway", "ingress"])
def doors(
    request: pytest.FixtureRequest, cluster: Cluster, gateway: Gateway, cluster_platform_id: str
) -> Iterator[Doors]:
    made = Doors(cluster, gateway, cluster_platform_id, request.param)
    yield made
    made.router.replace([])


def test_an_app_is_reached_by_its_names_written_once_and_gone_when_it_is_withdrawn(doors: Doors) -> None:
    many = tuple(f"d{number}.example.org" for number in range(20))
    asked = AppRoute(1, ("shop",), domains=("www.example.org", *many))
    doors.router.publish(asked)
    for name in (f"shop.{DOMAIN}", "www.example.org", many[-1]):
        eventually(lambda name=name: doors.status(name) == 503)  # type: ignore[misc]
    written = doors.writes()
    doors.router.publish(asked)
    doors.router.amend(1, asked.domains, maintenance=False)
    doors.router.amend(9, (), maintenance=True)
    assert doors.writes() == written
    doors.router.amend(1, (), maintenance=True)
    eventually(lambda: doors.status(many[-1]) == 404)
    doors.router.withdraw(1)
    doors.router.withdraw(1)
    eventually(lambda: doors.status(f"shop.{DOMAIN}") == 404)


@contextmanager
def certified(cluster: Cluster, doors: Doors, gateway: Gateway, folder: Path) -> Iterator[Path]:
    """What an operator does for TLS: a listener of the Gateway with a certificate for all apps, or a line of our Ingress
    (contour serves that only where it has such a listener, too). Gives the authority.
    """
    write_keys(folder, "https://apps", [], [f"*.{DOMAIN}", "www.example.org"])
    places = [gateway.namespace, *([naming.namespace(doors.platform, 1)] if doors.way == "ingress" else [])]
    for place in places:
        pair = (f"--cert={folder}/api.crt", f"--key={folder}/api.key")
        cluster.kubectl("create", "secret", "tls", "tls", f"--namespace={place}", *pair)
    listener = {
        "name": "https",
        "protocol": "HTTPS",
        "port": 443,
        "allowedRoutes": {"namespaces": {"from": "All"}},
        "tls": {"mode": "Terminate", "certificateRefs": [{"name": "tls"}]},
    }
    try:
        _patch(cluster, gateway, {"op": "add", "path": "/spec/listeners/-", "value": listener})
        if doors.way == "ingress":
            tls = [{"hosts": [f"shop.{DOMAIN}", "www.example.org"], "secretName": "tls"}]
            change = ("--type=merge", "-p", json.dumps({"spec": {"tls": tls}}))
            cluster.kubectl("patch", "ingress", "web", f"--namespace={places[-1]}", *change)
        yield folder / "ca.crt"
    finally:
        _patch(cluster, gateway, {"op": "remove", "path": "/spec/listeners/1"})
        cluster.kubectl("delete", "secret", "tls", f"--namespace={gateway.namespace}")


def _patch(cluster: Cluster, gateway: Gateway, change: dict[str, object]) -> None:
    where = ("patch", "gateway", gateway.name, f"--namespace={gateway.namespace}")
    cluster.kubectl(*where, "--type=json", "-p", json.dumps([change]))


def test_an_app_is_served_at_its_name_and_its_domain_and_the_operators_tls_outlives_what_we_write(
    doors: Doors,
    cluster: Cluster,
    gateway: Gateway,
    cluster_runtime: ClusterRuntime,
    cluster_image: Image,
    tmp_path: Path,
) -> None:
    cluster_runtime.start([workload(cluster_image, env={"WORD": "ahoy"})], quiet)
    (process,) = cluster_runtime.processes(1)
    assert process.endpoint
    route = AppRoute(1, ("shop",), 1, (process.endpoint,), domains=("www.example.org",))
    doors.router.publish(route)
    names = (f"shop.{DOMAIN}", "www.example.org")
    for name in names:
        eventually(lambda name=name: "ahoy" in doors.visit(name)[1])  # type: ignore[misc]
    with certified(cluster, doors, gateway, tmp_path) as authority:
        for name in names:
            eventually(lambda name=name: "ahoy" in doors.visit(name, authority)[1])  # type: ignore[misc]
        doors.router.amend(1, route.domains, maintenance=True)
        eventually(lambda: doors.visit(names[0], authority)[0] == 503)
        doors.router.amend(1, route.domains, maintenance=False)
        eventually(lambda: doors.visit(names[1], authority)[0] == 200)
    assert doors.visit("nobodys.example.org")[0] in (0, 404)


def test_t24_a_name_leads_to_the_app_that_had_it_last_and_replace_is_the_whole_table(doors: Doors) -> None:
    kind = HTTP_ROUTE if doors.way == "gateway" else INGRESS
    doors.router.publish(AppRoute(1, ("shop",), domains=("www.example.org",)))
    doors.router.publish(AppRoute(2, ("other",), domains=("www.example.org",)))
    names = {place: _names(doors, kind, place) for place in (1, 2)}
    assert names == {1: [f"shop.{DOMAIN}"], 2: [f"other.{DOMAIN}", "www.example.org"]}
    doors.router.replace([AppRoute(2, ("renamed",))])
    assert _names(doors, kind, 2) == [f"renamed.{DOMAIN}"]
    assert doors.client.list(kind, naming.namespace(doors.platform, 1))[0] == []


def test_a_gateway_that_does_not_take_a_route_is_told_by_name(
    cluster: Cluster, gateway: Gateway, cluster_platform_id: str
) -> None:
    other = f"{gateway.namespace}/unheard-of"
    router = ClusterRouter(Client(str(cluster.kubeconfig)), cluster_platform_id, DOMAIN, gateway=other)
    with pytest.raises(PlatformFault, match="has no Gateway projectcontour/unheard-of"):
        router.publish(AppRoute(1, ("shop",)))


def _names(doors: Doors, kind: object, app_id: int) -> list[str]:
    which = HTTP_ROUTE if kind == HTTP_ROUTE else INGRESS
    (found,) = doors.client.list(which, naming.namespace(doors.platform, app_id))[0]
    spec = found["spec"]
    return list(spec["hostnames"]) if which == HTTP_ROUTE else [each["host"] for each in spec["rules"]]
