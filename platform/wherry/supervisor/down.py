"""`wherry down`: the supervisor, the processes it leaves behind, the apps, and an engine that we started by hand."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from wherry.domain.errors import PlatformFault
from wherry.fittings.runtimes import open_engine_runtime, open_runtime
from wherry.home import Home
from wherry.settings import Settings
from wherry.supervisor import engine, ssh
from wherry.supervisor.service import Records, Running, Service, stop_all, wait_for_end

Say = Callable[[str], None]
NAMES = ("web", "worker", "terminal", *ssh.NAMES, "logs", "registry", "router")
PATIENCE = 60.0


def down(settings: Settings, say: Say, keep_apps: bool) -> None:
    """With `keep_apps` the router, the apps and the engine go on. Nothing of the data is touched."""
    home = Home(settings.folder)
    records = Records(settings.folder)
    _stop_supervisor(settings.folder, say)
    names = [name for name in NAMES if not (keep_apps and name == "router")]
    _stop(records, names, say)
    if keep_apps:
        return
    if settings.on_cluster:
        say("the apps go on in their cluster; to stop one: wherry ps:scale web=0, to remove it: wherry apps:destroy")
        if not settings.builds_on_cluster and engine.answers(settings.engine):
            open_engine_runtime(settings, home).remove()  # the containers and the network of builds
    elif engine.answers(settings.engine):
        _stop_apps(settings, home, say)
    _stop(records, ["engine"], say)


def supervisor_of(folder: Path) -> Running | None:
    return Records(folder).find("supervisor")


def _stop_supervisor(folder: Path, say: Say) -> None:
    running = supervisor_of(folder)
    if running is None:
        return
    descriptor = os.pidfd_open(running.pid)
    running.signal(signal.SIGTERM)
    say("stopping the supervisor, web, worker, logs and registry")
    if not wait_for_end(descriptor, PATIENCE):
        raise PlatformFault(
            f"the supervisor (pid {running.pid}) does not stop", hint=f"To end it: kill -9 {running.pid}"
        )
    os.close(descriptor)


def _stop(records: Records, names: list[str], say: Say) -> None:
    found = {}
    for name in names:
        running = records.find(name)
        if running is not None:
            grace = 20.0 if name == "engine" else 10.0
            found[name] = (Service(name, (), {}, records.home, lambda: True, grace=grace), running)
    if found:
        say(f"stopping {', '.join(found)}")
    for name in stop_all(found):
        say(f"{name} did not stop in time and was killed")
    for name in found:
        records.forget(name)


def _stop_apps(settings: Settings, home: Home, say: Say) -> None:
    runtime = open_runtime(settings, home)
    apps = {process.app_id for process in runtime.processes()}
    if apps:
        say(f"stopping the processes of {len(apps)} app{'s' if len(apps) > 1 else ''}")
    for app_id in apps:
        runtime.retire(app_id, ())
    runtime.remove()
