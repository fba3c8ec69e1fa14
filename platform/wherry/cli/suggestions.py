"""What only the platform knows and a shell wants to complete: names of apps, numbers of releases, process types.

Pressing TAB may take 300 ms: the platform gets BUDGET of them (more where WHERRY_COMPLETION_SECONDS allows it), and when it
is late, or away, what it said before is good enough. Nothing is ever said about what went wrong, since that would stand in
the middle of the user's line.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from wherry.cli import places, repository
from wherry.cli.client import Client
from wherry.domain.errors import WherryError
from wherry.domain.text import printable

BUDGET = 0.18
FRESH, STALE = 10.0, 24 * 3600.0
_VALUE = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*._:@+=/-]{0,200}")


class Candidate(NamedTuple):
    """A value, and a few words about it."""

    value: str
    about: str = ""


@dataclass(frozen=True)
class Asked:
    """The command, the values of its options so far, and what has been typed of the value."""

    command: str
    given: Mapping[str, str]
    current: str


Source = Callable[[Client, str], list[tuple[Any, Any]]]

SOURCES: dict[str, Source] = {
    "apps": lambda api, _: [(each["name"], "") for each in api.get("apps")],
    "builds": lambda api, app: [(each["number"], each["phase"]) for each in _newest(api, app, "builds", "created_at")],
    "config": lambda api, app: [(each, "") for each in api.get("apps", app, "config-names")],
    "cron runs": lambda api, app: [(each["name"], each["status"]) for each in api.get("apps", app, "cron-runs")],
    "cron tasks": lambda api, app: [(each["number"], each["command"]) for each in api.get("apps", app, "cron-tasks")],
    "domains": lambda api, app: [
        (each["hostname"], each["status"]) for each in api.get("apps", app, "domains") if each["kind"] == "custom"
    ],
    "drains": lambda api, app: [(each["token"], each["url"]) for each in api.get("apps", app, "log-drains")],
    "keys": lambda api, _: [(each["fingerprint"], each["comment"]) for each in api.get("account", "keys")],
    "people": lambda api, app: [
        (each["user"]["email"], each["role"]) for each in api.get("apps", app, "collaborators")
    ],
    "pipelines": lambda api, _: [(each["name"], "") for each in api.get("pipelines")],
    "processes": lambda api, app: [(each["name"], each["state"]) for each in api.get("apps", app, "dynos")],
    "releases": lambda api, app: [
        (f"v{each['version']}", each["description"]) for each in _newest(api, app, "releases", "version")
    ],
    "sizes": lambda api, _: [(each["name"], "") for each in api.get("dyno-sizes")],
    "stacks": lambda api, _: [(each["name"], "") for each in api.get("stacks")],
    "tokens": lambda api, _: [(each["id"], each["description"]) for each in api.get("oauth", "authorizations")],
    "types": lambda api, app: [
        (each["type"], f"{each['quantity']} {each['size']}")
        for each in api.get("apps", app, "formation")
        if each["type"] != "release"
    ],
    "users": lambda api, _: [(each["email"], "") for each in api.get("users")],
    "webhooks": lambda api, app: [(each["id"], each["url"]) for each in api.get("apps", app, "webhooks")],
}
_OF_NO_APP = {"apps", "keys", "pipelines", "sizes", "stacks", "tokens", "users"}

_BY_TOPIC = {
    ("access", "email"): "people",
    ("apps", "email"): "people",
    ("authorizations", "ident"): "tokens",
    ("builds", "build"): "builds",
    ("config", "keys"): "config",
    ("config", "pairs"): "config",
    ("cron", "run"): "cron runs",
    ("cron", "task"): "cron tasks",
    ("domains", "hostname"): "domains",
    ("drains", "drain"): "drains",
    ("keys", "key"): "keys",
    ("pipelines", "name"): "pipelines",
    ("ps", "changes"): "types",
    ("ps", "types"): "types",
    ("rebase", "name"): "apps",
    ("users", "email"): "users",
}
_BY_NAME = {
    "after": "releases",
    "app": "apps",
    "before": "releases",
    "dyno": "processes",
    "dyno_name": "processes",
    "kind": "types",
    "process": "processes",
    "process_type": "types",
    "release": "releases",
    "size": "sizes",
    "stack": "stacks",
    "to": "apps",
    "webhook": "webhooks",
}
_NEW = {"access:add", "apps:create", "apps:rename", "domains:add", "pipelines:create", "users:add"}
_ASSIGNED = {("ps:scale", "changes"), ("ps:type", "changes"), ("config:set", "pairs")}


def values(parameter: str, asked: Asked, environ: Mapping[str, str]) -> list[Candidate]:
    """What the parameter can be; empty when nobody knows, or in time."""
    if parameter == "remote":
        return [Candidate(each) for each in repository.remotes()]
    kind = _kind(parameter, asked)
    if kind is None:
        return []
    try:
        endpoint = places.endpoint(environ)
        app = "" if kind in _OF_NO_APP else _app(asked, environ)
    except WherryError:
        return []
    cache = Cache(cache_folder(environ) / _cache_name(endpoint))
    suffix = "=" if (asked.command, parameter) in _ASSIGNED else ""
    found = _known(cache, kind, app, Client(endpoint))
    return [Candidate(value + suffix, printable(about, 60)) for value, about in found if _VALUE.fullmatch(value)]


def _kind(parameter: str, asked: Asked) -> str | None:
    if asked.command in _NEW and parameter != "app":
        return None
    if parameter == "process" and asked.command == "logs":
        return "types"
    return _BY_TOPIC.get((asked.command.partition(":")[0], parameter)) or _BY_NAME.get(parameter)


def _app(asked: Asked, environ: Mapping[str, str]) -> str:
    """Raises Usage."""
    from wherry.cli.common import chosen_app

    return chosen_app(asked.given.get("app"), asked.given.get("remote"))


def _known(cache: Cache, kind: str, app: str, api: Client) -> list[tuple[str, str]]:
    key = f"{kind} {app}".rstrip()
    kept = cache.get(key, FRESH)
    if kept is not None:
        return kept
    answered: list[list[tuple[str, str]]] = []

    def ask() -> None:
        try:
            answered.append([(str(value), str(about or "")) for value, about in SOURCES[kind](api, app)])
        except (WherryError, LookupError, TypeError, ValueError):
            return  # a shell completes with what is there; the command itself will say what is wrong

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_patience(os.environ.get("WHERRY_COMPLETION_SECONDS", "")))
    if not answered:
        return cache.get(key, STALE) or []
    cache.put(key, answered[0])
    return answered[0]


def _patience(text: str) -> float:
    """Seconds, at most 60; what is no number is not complained of in the middle of somebody's line."""
    return min(float(text), 60.0) if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,3})?", text) else BUDGET


def _newest(api: Client, app: str, what: str, field: str) -> list[Any]:
    found: list[Any] = api.get("apps", app, what, headers={"Range": f"{field} ..; max=50, order=desc"})
    return found


@dataclass(frozen=True)
class Cache:
    """One file for each platform and token: names only, no value of config; for its owner only."""

    path: Path

    def get(self, key: str, seconds: float) -> list[tuple[str, str]] | None:
        """None unless it is younger than `seconds`."""
        entry = self._read().get(key)
        if not isinstance(entry, dict) or not 0 <= time.time() - entry["at"] < seconds:
            return None
        return [(str(value), str(about)) for value, about in entry["found"]]

    def put(self, key: str, found: list[tuple[str, str]]) -> None:
        now = time.time()
        kept = {each: entry for each, entry in self._read().items() if 0 <= now - entry["at"] < STALE}
        try:
            places.write_private(self.path, json.dumps({**kept, key: {"at": now, "found": found}}))
        except OSError:
            return  # a home that cannot be written to only means that the platform is asked each time

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            return {key: {"at": float(each["at"]), "found": list(each["found"])} for key, each in kept.items()}
        except (OSError, ValueError, TypeError, LookupError, AttributeError):
            return {}  # none yet, or damaged: it is only a cache


def cache_folder(environ: Mapping[str, str]) -> Path:
    """XDG's cache folder for us."""
    given = environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if given.startswith("/") else Path.home() / ".cache") / "wherry"


def forget(environ: Mapping[str, str]) -> None:
    for path in cache_folder(environ).glob("completion-*.json"):
        path.unlink(missing_ok=True)


def _cache_name(endpoint: places.Endpoint) -> str:
    """The token stands for the account; its digest tells nothing."""
    return f"completion-{sha256(f'{endpoint.url} {endpoint.token.reveal()}'.encode()).hexdigest()[:32]}.json"
