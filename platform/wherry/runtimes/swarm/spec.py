"""One process as a service, in the words of the Engine API. Pure.

A service a process, not one a type: so each has its turn, its size and its address, and a smaller formation stops the
processes that it names. Its web port is published on its node alone (`host` mode) and found by DNS round robin, which
need no IPVS.
"""

from __future__ import annotations

from typing import Any

from wherry.domain.health import Kind
from wherry.domain.workload import Workload
from wherry.runtimes.machine import naming
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.spec import PORT, environment

PUBLISHED = "wherry.published"
"""The port on its node, at which a web process is reached."""
PASSED = "wherry.passed"
"""It was ready once. A label of the service and not of its task, so that it changes without a restart."""
FIRST_PORT, LAST_PORT = 20_000, 29_999
_MIB = 1024 * 1024
_SECOND = 1_000_000_000
_NANO_A_THOUSANDTH = 1_000_000


def name(who: Identity, fingerprint: str) -> str:
    """Two that differ in config or size live side by side while one takes the other's place."""
    return f"{who.name}-{fingerprint[:8]}"


def network(platform: str, app_id: int) -> str:
    return naming.network(platform, f"app-{app_id}")


def service(
    who: Identity, workload: Workload, reference: str, published: int, cores: float, *, passed: bool = False
) -> dict[str, Any]:
    """The body of POST /services/create. `cores`: of the largest node; an engine refuses a limit above its own."""
    labels = naming.labels(who, workload, "", f":{published}" if workload.listens else "")
    start = workload.start
    port = {"Protocol": "tcp", "TargetPort": PORT, "PublishedPort": published, "PublishMode": "host"}
    nano = min(workload.size.cpu * _NANO_A_THOUSANDTH, int(cores * _SECOND))
    return {
        "Name": name(who, labels[naming.FINGERPRINT]),
        "Labels": {
            **labels,
            **({PUBLISHED: str(published)} if workload.listens else {}),
            **({PASSED: "yes"} if passed else {}),
        },
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": reference,
                "Command": list(start.argv) if start else [f"/cnb/process/{who.type}"],
                **({"User": start.user} if start and start.user else {}),
                "Env": [f"{key}={value}" for key, value in environment(who, workload).items()],
                "Labels": labels,
                "Init": True,
                "StopSignal": "SIGTERM",
                "StopGracePeriod": int(workload.stop_grace * _SECOND),
                "CapabilityDrop": ["ALL"],
                **_health(workload),
            },
            "Resources": {
                "Limits": {
                    "MemoryBytes": workload.size.memory * _MIB,
                    "NanoCPUs": nano,
                    "Pids": workload.size.pids,
                }
            },
            "RestartPolicy": {"Condition": "any", "Delay": _SECOND},
            "Networks": [{"Target": network(who.platform, who.app_id)}],
            "LogDriver": {"Name": "json-file", "Options": {"max-size": "10m", "max-file": "3"}},
        },
        "Mode": {"Replicated": {"Replicas": 1}},
        "EndpointSpec": {"Mode": "dnsrr", "Ports": [port] if workload.listens else []},
    }


def _health(workload: Workload) -> dict[str, Any]:
    """A liveness check by command is the engines' own to try, on whatever node; they take one."""
    for each in workload.checks:
        if each.kind is Kind.LIVENESS and each.command and not each.warn:
            times = {"Interval": each.wait, "Timeout": each.timeout, "StartPeriod": each.delay}
            nano = {key: max(value, 1) * _SECOND for key, value in times.items()}
            return {"Healthcheck": {"Test": ["CMD", *each.command], "Retries": each.attempts, **nano}}
    return {}
