"""An app as a file for Docker Compose: the containers that we would make ourselves, with the same limits. Pure."""

from __future__ import annotations

from typing import Any

import yaml

from wherry.domain.health import Kind
from wherry.domain.workload import Workload
from wherry.flow.eject import Leaving
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.spec import PORT, environment

FILE = "compose.yaml"
_HEAD = """\
# {app} {release}, as it ran on Wherry; nothing here needs it any more.
# To run it:  docker compose -p {app} up -d     and then: http://localhost:{port}
# It holds the config in clear. Its images lie at {registry}, if they are not on this machine already.
"""
_PHASE = "# Its release phase, before a new image serves: docker compose -p {app} run --rm release\n"
_CRON = "# For cron, times in UTC: {schedule}  docker compose -p {app} run --rm {service}\n"


def write(leaving: Leaving) -> dict[str, str]:
    registry = Registry(leaving.registry)
    services = {each.type: _service(registry, each) for each in leaving.workloads}
    head = _HEAD.format(app=leaving.name, release=leaving.release.name, port=PORT, registry=leaving.registry)
    if leaving.phase:
        services[leaving.phase.type] = _once(registry, leaving.phase)
        head += _PHASE.format(app=leaving.name)
    for number, (task, workload) in enumerate(leaving.crons, 1):
        services[f"cron-{number}"] = _once(registry, workload)
        head += _CRON.format(schedule=task.schedule, app=leaving.name, service=f"cron-{number}")
    # 3.8 is the newest form that both generations of Compose read.
    return {FILE: head + yaml.safe_dump({"version": "3.8", "services": services}, sort_keys=False, allow_unicode=True)}


def _service(registry: Registry, workload: Workload) -> dict[str, Any]:
    last = PORT + workload.quantity - 1
    host = str(PORT) if last == PORT else f"{PORT}-{last}"
    check = next((each for each in workload.checks if each.kind is Kind.LIVENESS and each.command), None)
    return {
        **_base(registry, workload),
        **({"ports": [f"{host}:{PORT}"]} if workload.listens else {}),
        **({"healthcheck": {"test": ["CMD", *map(_literal, check.command)]}} if check else {}),
        "restart": "always",
        "deploy": {"replicas": workload.quantity, **_limits(workload)},
    }


def _once(registry: Registry, workload: Workload) -> dict[str, Any]:
    """Only when it is asked for by name."""
    return {**_base(registry, workload), "restart": "no", "profiles": ["once"], "deploy": _limits(workload)}


def _base(registry: Registry, workload: Workload) -> dict[str, Any]:
    start = workload.start
    who = Identity("", workload.app_id, workload.release, workload.type, 1)
    argv = list(start.argv) if start else [f"/cnb/process/{workload.type}"]
    return {
        "image": registry.reference(workload.image.repository, workload.image.digest),
        "entrypoint": [_literal(each) for each in argv],
        "command": [],
        **({"user": start.user} if start and start.user else {}),
        "environment": {name: _literal(value) for name, value in environment(who, workload).items()},
        "init": True,
        "stop_grace_period": f"{workload.stop_grace:g}s",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }


def _limits(workload: Workload) -> dict[str, Any]:
    size = workload.size
    return {"resources": {"limits": {"memory": f"{size.memory}M", "cpus": f"{size.cpu / 1000:g}"}}}


def _literal(text: str) -> str:
    """Compose reads variables into every text; a dollar that is doubled is a dollar."""
    return text.replace("$", "$$")
