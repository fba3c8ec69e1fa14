"""Makes every process that is asked for run beside whatever runs now: all of them, or none.

A process that runs as asked is kept. One of the same name that does not (another size) is set aside under another name
and serves on until `retire` takes it; what is half-made or has ended is removed. If any process fails its gate,
everything that was started here is removed, and what was set aside gets its name back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wherry.domain.workload import Workload
from wherry.flow.ports import Say
from wherry.flow.talk import detail
from wherry.runtimes.machine import naming, spec
from wherry.runtimes.machine.attempt import Attempt, Tools, Wanted, begin
from wherry.runtimes.machine.lives import Lives
from wherry.runtimes.machine.naming import Identity


def start(tools: Tools, platform: str, workloads: Sequence[Workload], say: Say) -> None:
    """Returns when all are ready. Raises RolloutFailed, and docker's errors."""
    compared = _compare(tools, platform, workloads)
    try:
        if missing := [each for each in compared if not _is_up(tools, each)]:
            for path in sorted({each.path for wanted in missing for each in wanted.workload.volumes}):
                detail(say, f"{path} is no volume here, where there are none: what is written there is lost")
            with Lives(tools.engine, platform) as lives:
                Attempt(tools, lives, say).run(missing)
    finally:
        tools.addresses.release([each.who.name for each in compared])


def insist(tools: Tools, platform: str, workloads: Sequence[Workload]) -> None:
    """Makes what has no container at all, and leaves it to the engine, as if it had been up before. Raises
    RolloutFailed, and docker's errors.
    """
    compared = [each for each in _compare(tools, platform, workloads) if each.present is None]
    try:
        for each in compared:
            begin(tools, each)
    finally:
        tools.addresses.release([each.who.name for each in compared])


def identities(platform: str, workloads: Sequence[Workload]) -> dict[Identity, Workload]:
    """Every single process that the workloads ask for."""
    return {
        Identity(platform, each.app_id, each.release, each.type, index): each
        for each in workloads
        for index in range(1, each.quantity + 1)
    }


def is_as_asked(container: dict[str, Any], workload: Workload, platform: str) -> bool:
    """From the same image, with the same config and size, and of the newest turn."""
    index = int(container["Labels"].get(naming.INDEX, 0))
    return bool(container["Labels"].get(naming.FINGERPRINT) == naming.fingerprint(platform, workload, index))


def names(container: dict[str, Any]) -> list[str]:
    return [str(name).removeprefix("/") for name in container["Names"] or ()]


def _compare(tools: Tools, platform: str, workloads: Sequence[Workload]) -> list[Wanted]:
    asked = identities(platform, workloads)
    with tools.addresses.lock:
        listed = tools.list(platform)
        present = {name: each for each in listed for name in names(each)}
        new = [
            who.name
            for who, each in asked.items()
            if who.name not in present
            or present[who.name]["State"] not in ("running", "restarting")
            or not is_as_asked(present[who.name], each, platform)
        ]
        places = tools.addresses.reserve(new, [each["Labels"] for each in listed])
    return [Wanted(who, each, present.get(who.name), places.get(who.name)) for who, each in asked.items()]


def _is_up(tools: Tools, wanted: Wanted) -> bool:
    """It has passed its gate. Also one that crashed later: the engine starts it again, and so it is kept."""
    if wanted.place or not wanted.present:
        return False
    host = tools.engine.api.inspect_container(wanted.present["Id"])["HostConfig"]
    return bool(host["RestartPolicy"]["Name"] == spec.UP["Name"])
