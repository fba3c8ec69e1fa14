"""The table as Envoy's own documents: clusters (CDS) and one route configuration (RDS). Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from wherry.domain.workload import AppRoute, Endpoint
from wherry.routing.pages import IN_MAINTENANCE
from wherry.routing.table import Table

ROUTES = "apps"
NO_PROCESS = "no-process"
_TYPE = "type.googleapis.com/"
_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

# What an app may have open at once. Envoy's defaults (1024, and 3 retries) are for a service that is one of many.
_MOST = {"max_connections": 50_000, "max_pending_requests": 50_000, "max_requests": 50_000, "max_retries": 1000}
BUFFER = 128 * 1024
Clusters = dict[str, tuple[Endpoint, ...]]


def cluster_name(route: AppRoute) -> str:
    """One for each release and set of processes, so that every switch is one change of one route, and what ran
    before can be watched until it is empty.
    """
    if not route.endpoints:
        return NO_PROCESS
    text = ",".join(f"{each.address}/{each.port}" for each in route.endpoints)
    return f"app{route.app_id}-v{route.release}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def clusters(table: Table, also: Table | None = None) -> Clusters:
    """Every cluster that the table's requests go to, or still are in; with `also`, those of that table too."""
    found: Clusters = {}
    for each in (table, *([also] if also else [])):
        for entry in each.entries.values():
            for route in (entry.route, *entry.draining):
                if route.endpoints:
                    found.setdefault(cluster_name(route), route.endpoints)
    return found


def cds(wanted: Clusters) -> dict[str, Any]:
    return {"version_info": cds_version(wanted), "resources": [_cluster(name, each) for name, each in wanted.items()]}


def cds_version(wanted: Clusters) -> str:
    """The same for the same content: names tell the processes, and the rest is the same for all."""
    text = "\n".join([json.dumps(_cluster("", ())), *wanted])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _cluster(name: str, endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Connections to the app are closed after a second without use: sooner than any common server closes its side
    (gunicorn 2 s, Node and uvicorn 5 s), so that no request meets a connection that is being closed.
    """
    options = {
        "@type": _TYPE + _HTTP,
        "explicit_http_config": {"http_protocol_options": {}},
        "common_http_protocol_options": {"idle_timeout": "1s"},
    }
    return {
        "@type": _TYPE + "envoy.config.cluster.v3.Cluster",
        "name": name,
        "type": "STATIC",
        "connect_timeout": "3s",
        "lb_policy": "LEAST_REQUEST",
        "per_connection_buffer_limit_bytes": BUFFER,
        "circuit_breakers": {"thresholds": [_MOST]},
        "typed_extension_protocol_options": {_HTTP: options},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [_endpoint(each) for each in endpoints]}],
        },
    }


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    address = {"socket_address": {"address": endpoint.address, "port_value": endpoint.port}}
    return {"endpoint": {"address": address}}


def rds(table: Table, apps_domain: str) -> dict[str, Any]:
    """Hosts match exactly, in any case (Envoy compares in lower case), with or without a port or a final dot; the
    app sees its Host header as it was sent.
    """
    return {"version_info": str(table.version), "resources": [_routes(table, apps_domain)]}


def _routes(table: Table, apps_domain: str) -> dict[str, Any]:
    apps = [
        _app(entry.route, apps_domain) for entry in table.entries.values() if entry.route.hosts or entry.route.domains
    ]
    return {
        "@type": _TYPE + "envoy.config.route.v3.RouteConfiguration",
        "name": ROUTES,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [*apps, _STRANGERS],
        "request_headers_to_remove": ["x-envoy-external-address"],
        "request_headers_to_add": [
            _set("x-forwarded-for", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"),
            _set("x-forwarded-port", "%DOWNSTREAM_LOCAL_PORT%"),
            _set("x-request-start", "%START_TIME(%s%3f)%"),
        ],
    }


def _set(name: str, value: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _app(route: AppRoute, apps_domain: str) -> dict[str, Any]:
    """A GET that dies with its connection is sent once more; anything else only when the app cannot have seen it."""
    names = [*(f"{host}.{apps_domain}" for host in route.hosts), *route.domains]
    domains = [f"{name}{dot}" for name in dict.fromkeys(names) for dot in ("", ".")]
    action = {"cluster": cluster_name(route), "timeout": "0s"}
    name = f"app{route.app_id}"
    if route.maintenance:
        closed = {"name": name, "match": {"prefix": ""}, "direct_response": {"status": IN_MAINTENANCE}}
        return {"name": name, "domains": domains, "routes": [closed]}
    return {
        "name": name,
        "domains": domains,
        "routes": [
            {"name": name, "match": _GET, "route": {**action, "retry_policy": _AGAIN_IF_SAFE}},
            {"name": name, "match": {"prefix": ""}, "route": {**action, "retry_policy": _AGAIN_IF_UNSEEN}},
        ],
    }


_GET = {"prefix": "", "headers": [{"name": ":method", "string_match": {"exact": "GET"}}]}
_OTHER_PROCESS = {
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": _TYPE + "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            },
        }
    ],
    # Each is a throw of the dice: with two processes, three throws would hit the dead one once in eight times.
    "host_selection_retry_max_attempts": 16,
    "num_retries": 2,
}
_AGAIN_IF_UNSEEN = {**_OTHER_PROCESS, "retry_on": "connect-failure,refused-stream,reset-before-request"}
_AGAIN_IF_SAFE = {**_OTHER_PROCESS, "retry_on": "connect-failure,refused-stream,reset-before-request,reset"}

# Two Host headers reach us joined by a comma, which no host name has (RFC 9112, section 3.2: answer 400).
_STRANGERS = {
    "name": "strangers",
    "domains": ["*"],
    "routes": [
        {
            "match": {"prefix": "", "headers": [{"name": ":authority", "string_match": {"contains": ","}}]},
            "direct_response": {"status": 400},
        }
    ],
}
