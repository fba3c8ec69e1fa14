"""What the platform on this machine is doing, from its own records: true even when all of it is dead."""

from __future__ import annotations

import json
from pathlib import Path

from wherry.settings import Settings
from wherry.supervisor import ssh
from wherry.supervisor.endpoints import endpoints
from wherry.supervisor.service import Records

NAMES = ("supervisor", "engine", "registry", "router", "logs", "terminal", "web", "worker", *ssh.NAMES)


def status(settings: Settings) -> dict[str, object]:
    """Endpoints by name, the data folder, and each process: name, pid (None when it does not run), state, since,
    restarts.
    """
    records = Records(settings.folder)
    known = _known(settings.folder)
    others = ["engine", "registry", *ssh.NAMES, *(["router"] if settings.on_cluster else [])]
    processes = []
    for name in NAMES:
        running = records.find(name)
        if running is None and name in others and name not in known:
            continue  # not ours to run: another's engine, registry or router is in use
        about = known.get(name, {})
        processes.append(
            {
                "name": name,
                "pid": running.pid if running else None,
                "state": "up" if running else "down",
                "since": about.get("since") if running else None,
                "restarts": about.get("restarts", 0),
            }
        )
    state = (
        "up"
        if all(each["pid"] for each in processes)
        else "degraded"
        if any(each["pid"] for each in processes)
        else "down"
    )
    return {"state": state, "home": str(settings.folder), **endpoints(settings), "processes": processes}


def _known(folder: Path) -> dict[str, dict[str, object]]:
    try:
        written = json.loads((folder / "run" / "status.json").read_text())
    except (OSError, ValueError):
        return {}
    return {each["name"]: each for each in written.get("processes", [])}


def table(found: dict[str, object]) -> list[str]:
    """For people: one process a line, then where everything is."""
    lines = [f"=== Wherry: {found['state']}", ""]
    processes = found["processes"]
    assert isinstance(processes, list)
    for each in processes:
        since = f"since {each['since']}" if each["since"] else ""
        lines.append(f"{each['name']:<11} {each['state']:<5} {each['pid'] or '-':<8} {since}".rstrip())
    lines.append("")
    lines += [f"{name + ':':<11} {found[name]}" for name in ("portal", "api", "git", "router", "registry", "home")]
    return lines
