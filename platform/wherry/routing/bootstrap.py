"""What Envoy starts with: the listener, its limits, its log, and where the table's documents lie. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wherry.routing.envoy import BUFFER, NO_PROCESS, ROUTES
from wherry.routing.pages import local_replies

_TYPE = "type.googleapis.com/"
_FILTERS = "envoy.extensions.filters"
STREAM_IDLE = "55s"


@dataclass(frozen=True)
class Place:
    """One router: its folder, where it listens, and how many connections it takes at most. Who only writes its table
    needs the folder alone.
    """

    folder: Path
    address: str = "127.0.0.1"
    port: int = 8300
    most_connections: int = 10_000

    @property
    def admin(self) -> Path:
        return self.folder / "admin.sock"

    @property
    def access_log(self) -> Path:
        return self.folder / "access.log"

    @property
    def cds(self) -> Path:
        return self.folder / "cds.json"

    @property
    def rds(self) -> Path:
        return self.folder / "rds.json"

    @property
    def bootstrap(self) -> Path:
        return self.folder / "bootstrap.json"


def bootstrap(place: Place) -> dict[str, Any]:
    return {
        "node": {"id": "wherry", "cluster": "wherry"},
        "admin": {"address": {"pipe": {"path": str(place.admin), "mode": 0o600}}},
        "static_resources": {"listeners": [_listener(place)], "clusters": [_NOTHING]},
        "dynamic_resources": {"cds_config": _file(place.cds)},
        "stats_config": _FEW_STATS,
        "overload_manager": {"resource_monitors": [_connections(place.most_connections)]},
    }


def _file(path: Path) -> dict[str, Any]:
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}


# The cluster of apps without processes: it never has one, and that is how the page for H14 is found.
_NOTHING = {"name": NO_PROCESS, "type": "STATIC", "connect_timeout": "1s"}

# A cluster has some 150 counters; of hundreds of apps they would be most of the memory. These are what we ask for.
_FEW_STATS = {
    "stats_matcher": {
        "inclusion_list": {
            "patterns": [
                {"prefix": "cluster_manager.cds."},
                {"prefix": "http.router."},
                {"prefix": "listener_manager."},
                {"prefix": "server."},
            ]
        }
    }
}


def _connections(most: int) -> dict[str, Any]:
    kind = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    return {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {"@type": _TYPE + kind, "max_active_downstream_connections": most},
    }


def _listener(place: Place) -> dict[str, Any]:
    """Without SO_REUSEPORT: a second router on the same port must fail loudly, not take half of the requests."""
    socket_address: dict[str, Any] = {"address": place.address, "port_value": place.port}
    if place.address == "::":
        socket_address["ipv4_compat"] = True
    return {
        "name": "apps",
        "address": {"socket_address": socket_address},
        "enable_reuse_port": False,
        "connection_balance_config": {"exact_balance": {}},
        "per_connection_buffer_limit_bytes": BUFFER,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": _http(place)}]}],
    }


def _http(place: Place) -> dict[str, Any]:
    return {
        "@type": _TYPE + f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "router",
        "codec_type": "HTTP1",
        "http_protocol_options": {"accept_http_10": True},
        "rds": {"route_config_name": ROUTES, "config_source": _file(place.rds)},
        "http_filters": [{"name": "router", "typed_config": _ROUTER}],
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        **_LIMITS,
        **_IDENTITY,
        **_RAW_PATHS,
        "server_header_transformation": "PASS_THROUGH",
        "local_reply_config": local_replies(),
        "access_log": [{"name": "file", "typed_config": _access_log(place.access_log)}],
    }


_ROUTER = {"@type": _TYPE + f"{_FILTERS}.http.router.v3.Router", "suppress_envoy_headers": True}

# Bytes may take as long as they like as long as they come: no limit on a whole request, 55 s between two of them.
_LIMITS: dict[str, Any] = {
    "stream_idle_timeout": STREAM_IDLE,
    "request_headers_timeout": "30s",
    "common_http_protocol_options": {"idle_timeout": "90s", "max_headers_count": 100},
    "max_request_headers_kb": 60,
}

# Who sent it is ours to say. Whatever a client claims in these headers is dropped before anything reads it, also
# in the spellings with "_" that CGI and WSGI cannot tell from "-"; and so is "Proxy", which CGI takes for a setting.
_CLAIMS = r"(?i)proxy|forwarded|x[-_](forwarded|envoy)[-_].*|x[-_]request[-_](id|start)|x[-_]real[-_]ip"
_IDENTITY: dict[str, Any] = {
    "use_remote_address": True,
    "skip_xff_append": True,  # written with the route: Envoy itself would put its own address for a local client's
    "generate_request_id": True,
    "request_id_extension": {
        "typed_config": {
            "@type": _TYPE + "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
            "pack_trace_reason": False,
        }
    },
    "early_header_mutation_extensions": [
        {
            "name": "claims",
            "typed_config": {
                "@type": _TYPE + "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                "mutations": [{"remove_on_match": {"key_matcher": {"safe_regex": {"regex": _CLAIMS}}}}],
            },
        }
    ],
}

_RAW_PATHS: dict[str, Any] = {
    "normalize_path": False,
    "merge_slashes": False,
    "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
}


def _access_log(path: Path) -> dict[str, Any]:
    """One JSON object a line: what Heroku's router line needs, and what tells a fault of the app from ours."""
    return {
        "@type": _TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "path": str(path),
        "log_format": {
            "json_format": {
                "time": "%START_TIME%",
                "app": "%ROUTE_NAME%",
                "cluster": "%UPSTREAM_CLUSTER_RAW%",
                "method": "%REQ(:METHOD):20%",
                "path": "%REQ(:PATH):2000%",
                "host": "%REQ(:AUTHORITY):300%",
                "request_id": "%REQ(X-REQUEST-ID)%",
                "fwd": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                "process": "%UPSTREAM_HOST%",
                "connect": "%COMMON_DURATION(US_CX_BEG:US_CX_END:ms)%",
                "service": "%DURATION%",
                "status": "%RESPONSE_CODE%",
                "bytes": "%BYTES_SENT%",
                "received": "%BYTES_RECEIVED%",
                "protocol": "%PROTOCOL%",
                "flags": "%RESPONSE_FLAGS%",
                "details": "%RESPONSE_CODE_DETAILS%",
            }
        },
    }
