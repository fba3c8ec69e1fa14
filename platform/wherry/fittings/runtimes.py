"""Which runtime the apps have, and with it which router and which collector of their output."""

from __future__ import annotations

from wherry.fittings.images import pulls
from wherry.fittings.stores import open_app_logs
from wherry.home import Home
from wherry.routing.router import EnvoyRouter
from wherry.runtimes.machine.collect import Collector
from wherry.runtimes.machine.runtime import MachineRuntime
from wherry.settings import Settings


def open_runtime(settings: Settings, home: Home) -> MachineRuntime:
    return MachineRuntime(
        settings.engine, home.platform, pulls(settings, home), settings.subnet, open_app_logs(settings)
    )


def open_router(settings: Settings, home: Home) -> EnvoyRouter:
    return EnvoyRouter(settings.folder / "router", settings.apps_domain)


def open_collector(settings: Settings, home: Home) -> Collector:
    return Collector(settings.engine, home.platform, open_app_logs(settings))
