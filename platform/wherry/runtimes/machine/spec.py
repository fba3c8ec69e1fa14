"""One process as a container, in the words of the Engine API. Pure."""

from __future__ import annotations

from typing import Any

from wherry.domain.one_off import Task
from wherry.domain.workload import Workload
from wherry.runtimes.machine import naming
from wherry.runtimes.machine.addresses import Place
from wherry.runtimes.machine.naming import Identity

PORT = 8080
# The restart policy while a process is checked, and from then on: the engine starts it again, with a pause that
# doubles, also after a reboot. Not "unless-stopped": an engine that was killed stops at its next start what it finds
# running, takes that for the operator's wish, and would leave it so.
CHECKED = {"Name": "no"}
UP = {"Name": "always"}
_MIB = 1024 * 1024


def container(who: Identity, workload: Workload, reference: str, place: Place, *, once: bool = False) -> dict[str, Any]:
    """The body of POST /containers/create. `once`: it is no process of the formation, and ends by itself."""
    network_name = naming.network(who.platform, place.network)
    start = workload.start
    return {
        "Image": reference,
        "Entrypoint": list(start.argv) if start else [f"/cnb/process/{who.type}"],
        "Cmd": [],
        **({"User": start.user} if start and start.user else {}),
        "Env": [f"{name}={value}" for name, value in environment(who, workload).items()],
        "Labels": {
            **naming.labels(who, workload, place.network, place.address),
            **({naming.ONCE: "yes"} if once else {}),
        },
        "StopSignal": "SIGTERM",
        "HostConfig": {
            "NetworkMode": network_name,
            "Memory": workload.size.memory * _MIB,
            "MemorySwap": workload.size.memory * _MIB,
            # A quota, not NanoCpus: the engine refuses those when the machine has fewer cores.
            "CpuPeriod": 100_000,
            "CpuQuota": workload.size.cpu * 100,
            "PidsLimit": workload.size.pids,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            # A first process that passes SIGTERM on and collects zombies; many apps do neither.
            "Init": True,
            "RestartPolicy": CHECKED,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
        },
        "NetworkingConfig": {"EndpointsConfig": {network_name: {"IPAMConfig": {"IPv4Address": place.address}}}},
    }


def one_off(body: dict[str, Any], task: Task) -> dict[str, Any]:
    """`body`, for a one-off: with what somebody needs who talks to it, and then without a log."""
    marks = {naming.ONE_OFF: str(task.id), **({naming.ATTACHED: "1"} if task.attach else {})}
    body = {**body, "Labels": {**body["Labels"], **marks}}
    if not task.attach:
        return body
    talk = dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr", "OpenStdin", "StdinOnce"), True)
    return {**body, **talk, "Tty": task.tty, "HostConfig": {**body["HostConfig"], "LogConfig": {"Type": "none"}}}


def environment(who: Identity, workload: Workload) -> dict[str, str]:
    """HOME may be overridden by config; what the platform promises may not. Where a Dockerfile made the image, HOME is
    its own, or that of its user.
    """
    promised = {"DYNO": who.process, "WHERRY_PROCESS": who.process}
    if workload.listens:
        promised["PORT"] = str(PORT)
    config = {name: value.reveal() for name, value in workload.env.items()}
    home = {} if workload.start else {"HOME": "/workspace"}
    return {**home, **config, **promised}
