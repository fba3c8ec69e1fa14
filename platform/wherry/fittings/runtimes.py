"""Which runtime the apps have, and with it which router and which collector of their output.

What speaks to a cluster is imported where it is needed: it takes a second and 50 MB, of each process of the platform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wherry.fittings.images import image_address, pulls, registry_logins
from wherry.fittings.stores import open_app_logs
from wherry.home import Home
from wherry.routing.router import EnvoyRouter
from wherry.runtimes.machine.collect import Collector
from wherry.runtimes.machine.runtime import MachineRuntime
from wherry.runtimes.swarm.runtime import SwarmRuntime
from wherry.settings import Settings

if TYPE_CHECKING:
    from wherry.runtimes.cluster.client import Client
    from wherry.runtimes.cluster.collect import ClusterCollector
    from wherry.runtimes.cluster.errands import ClusterRuntime
    from wherry.runtimes.cluster.ground import Ground
    from wherry.runtimes.cluster.router import ClusterRouter


def open_runtime(settings: Settings, home: Home) -> MachineRuntime | ClusterRuntime:
    if settings.on_cluster:
        from wherry.runtimes.cluster.errands import ClusterRuntime

        return ClusterRuntime(open_cluster(settings), open_ground(settings, home))
    return open_engine_runtime(settings, home)


def open_engine_runtime(settings: Settings, home: Home) -> MachineRuntime:
    """That of this machine's engine, which has the containers of builds also where apps run elsewhere."""
    kind = SwarmRuntime if settings.runtime == "swarm" else MachineRuntime
    return kind(settings.engine, home.platform, pulls(settings, home), settings.subnet, open_app_logs(settings))


def open_router(settings: Settings, home: Home) -> EnvoyRouter | ClusterRouter:
    if settings.on_cluster:
        from wherry.runtimes.cluster.router import ClusterRouter

        client, domain = open_cluster(settings), settings.apps_domain
        return ClusterRouter(client, home.platform, domain, settings.gateway, settings.ingress_class)
    return EnvoyRouter(settings.folder / "router", settings.apps_domain)


def open_collector(settings: Settings, home: Home) -> Collector | ClusterCollector:
    if settings.on_cluster:
        from wherry.runtimes.cluster.collect import ClusterCollector

        return ClusterCollector(open_cluster(settings), home.platform, open_app_logs(settings))
    return Collector(settings.engine, home.platform, open_app_logs(settings))


def open_cluster(settings: Settings) -> Client:
    from wherry.runtimes.cluster.client import Client

    return Client(settings.kubeconfig)


def open_ground(settings: Settings, home: Home) -> Ground:
    from wherry.runtimes.cluster.ground import Ground, Pulls

    pulls_of_nodes = Pulls(image_address(settings), registry_logins(settings, home))
    reach = tuple(settings.app_networks.split())
    return Ground(home.platform, pulls_of_nodes, reach, storage_class=settings.storage_class)
