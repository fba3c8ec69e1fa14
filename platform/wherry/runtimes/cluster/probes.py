"""Health checks as a kubelet makes them. Pure.

A kubelet has one probe of a kind for each container: the first check of a kind is taken. It looks at the status of an
answer, not into it. See docs/app-contract.md, 'On a cluster'.
"""

from __future__ import annotations

import math

from wherry.domain.health import Check, Kind
from wherry.domain.workload import Workload
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.naming import PORT

_EVERY = 2
"""A kubelet may miss that a process has started, and then looks at its readiness only when that is due again."""
_SLACK = 15
"""Seconds that a kubelet waits longer than we do at a rollout: who gives up first can say why."""


def probes(workload: Workload) -> Object:
    """For the container. A web process must take connections before its first request, and while it gets any."""
    listening = Check(listening=True, attempts=5, timeout=1, wait=_EVERY)
    started = first(workload, Kind.STARTUP) or (listening if workload.listens else None)
    ready = first(workload, Kind.READINESS) or (listening if workload.listens else None)
    alive = first(workload, Kind.LIVENESS)
    made = {
        "startupProbe": started and _at_start(workload, started),
        "readinessProbe": ready and _probe(ready),
        "livenessProbe": alive and _probe(alive),
    }
    return {name: probe for name, probe in made.items() if probe}


def boot_limit(workload: Workload) -> float:
    """Seconds from the start of a process until it must be ready."""
    checks = [each for each in workload.checks if each.kind is not Kind.LIVENESS and not each.warn]
    return max([workload.boot_limit, *(each.longest for each in checks)])


def first(workload: Workload, kind: Kind) -> Check | None:
    return next((each for each in workload.checks if each.kind is kind and _can(each)), None)


def left_out(workload: Workload) -> list[str]:
    """What the app wishes and a kubelet cannot: a sentence for each."""
    taken = [first(workload, kind) for kind in Kind]
    more = [each for each in workload.checks if _can(each) and each not in taken]
    said = [f"{workload.type}: only the first {each.kind} check is made here, not '{each.name}'" for each in more]
    inside = [each for each in taken if each and each.content]
    return said + [
        f"{workload.type}: the {each.title} looks at the status here, not for its content" for each in inside
    ]


def _can(check: Check) -> bool:
    return not check.warn and bool(check.path or check.command or check.listening)


def _at_start(workload: Workload, check: Check) -> Object:
    """Every second, for as long as a process may take to boot."""
    probe = {**_probe(check), "periodSeconds": 1}
    patience = math.ceil(boot_limit(workload)) + _SLACK
    return {**probe, "failureThreshold": patience}


def _probe(check: Check) -> Object:
    return {
        **_way(check),
        **({"initialDelaySeconds": check.delay} if check.delay else {}),
        "periodSeconds": max(check.wait, 1),
        "timeoutSeconds": check.timeout,
        "failureThreshold": check.attempts,
    }


def _way(check: Check) -> Object:
    port = check.port or PORT
    if check.command:
        return {"exec": {"command": list(check.command)}}
    if check.listening:
        return {"tcpSocket": {"port": port}}
    headers = [{"name": name, "value": value} for name, value in check.headers]
    return {"httpGet": {"path": check.path, "port": port, **({"httpHeaders": headers} if headers else {})}}
