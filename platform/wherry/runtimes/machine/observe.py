"""What runs now, from the engine's own records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from docker.errors import NotFound

from wherry.domain.workload import Endpoint, Process, ProcessState
from wherry.runtimes.machine import naming, spec
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.naming import Identity

_AT_ONCE = 8
STEADY = timedelta(seconds=10)  # the engine's own bound: a run of that length resets its back-off
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?Z")


def processes(engine: Engine, platform: str, app_id: int | None, *, once: bool = False) -> list[Process]:
    """In the order of app, release, type and index; one for each identity (see `counts`). `once`: only those that end by
    themselves.
    """
    filters = naming.of_platform(platform, app_id)
    filters["label"] += [naming.ONCE] if once else []
    everything = engine.api.containers(all=True, filters=filters)
    listed = [each for each in everything if naming.ONE_OFF not in each["Labels"]]
    with ThreadPoolExecutor(_AT_ONCE, "inspect") as pool:
        inspected = [each for each in pool.map(lambda each: _inspect(engine, each["Id"]), listed) if each]
    now = datetime.now(UTC)
    best: dict[Identity, Mapping[str, Any]] = {}
    for each in inspected:
        who = Identity.of(each["Config"]["Labels"])
        if who and (who not in best or counts(each, who) > counts(best[who], who)):
            best[who] = each
    found = [describe(who, each, now) for who, each in best.items()]
    return sorted(found, key=lambda each: (each.app_id, each.release, each.type, each.index))


def counts(inspected: Mapping[str, Any], who: Identity) -> int:
    """Which of two containers of one identity is the process: the new one once it passed its gate, else the one that
    was set aside for it.
    """
    if passed(inspected):
        return 2 if inspected["Name"] == f"/{who.name}" else 1
    return 0


def describe(who: Identity, inspected: Mapping[str, Any], now: datetime) -> Process:
    state = inspected["State"]
    gated, restarts = passed(inspected), int(inspected["RestartCount"])
    address = inspected["Config"]["Labels"].get(naming.ADDRESS, "")
    since = moment(state["StartedAt"])
    if state["Status"] == "running":
        settled = naming.ONCE in inspected["Config"]["Labels"] or (gated and (restarts == 0 or now - since >= STEADY))
        kind = ProcessState.UP if settled else ProcessState.STARTING
        detail = "" if settled or not restarts else started_again(restarts)
    elif state["Status"] == "created":
        kind, detail, since = ProcessState.STARTING, "", moment(inspected["Created"])
    else:
        kind, detail, since = ProcessState.CRASHED, _end(inspected), moment(state["FinishedAt"])
    return Process(
        app_id=who.app_id,
        release=who.release,
        type=who.type,
        index=who.index,
        state=kind,
        since=since,
        # Its address is its own also while it is down, and the engine starts it again: the router need not be told.
        endpoint=Endpoint(address, spec.PORT) if who.type == "web" and gated else None,
        detail=detail,
        restarts=restarts,
    )


def moment(text: str) -> datetime:
    """The engine's RFC 3339 times, which have up to nine digits after the point."""
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError(f"not a time of the engine: {text!r}")
    return datetime.fromisoformat(f"{match[1]}.{(match[2] or '0').ljust(6, '0')}+00:00")


def passed(inspected: Mapping[str, Any]) -> bool:
    return bool(inspected["HostConfig"]["RestartPolicy"]["Name"] == spec.UP["Name"])


def _end(inspected: Mapping[str, Any]) -> str:
    state = inspected["State"]
    if state["Status"] == "paused":
        return "paused by hand"
    if state.get("OOMKilled"):
        memory = int(inspected["HostConfig"]["Memory"]) // (1024 * 1024)
        return f"needs more than its {memory} MiB of memory"
    return f"exited with code {state['ExitCode']}"


def started_again(count: int) -> str:
    return f"started again {'once' if count == 1 else f'{count} times'}"


def _inspect(engine: Engine, container: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = engine.api.inspect_container(container)
    except NotFound:
        return None
    return None if found["State"]["Status"] == "removing" else found
