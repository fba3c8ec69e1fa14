"""What makes images and keeps them."""

from __future__ import annotations

from urllib.parse import urlsplit

from wherry.builds.builder import LifecycleBuilder
from wherry.builds.container import Containers
from wherry.builds.pod_builder import PodBuilder
from wherry.builds.stacks import Stacks
from wherry.domain.registry_names import Place
from wherry.flow.ports import Builder
from wherry.home import Home
from wherry.images.registry import Registry
from wherry.logins import FixedLogin, HelperLogin, Login, Logins
from wherry.runtimes.machine.image_build import MachineImageBuild
from wherry.runtimes.machine.pull import Registry as Pulls
from wherry.runtimes.machine.sandbox import MachineSandbox
from wherry.settings import Settings
from wherry.sources.fetch import Trees


def open_registry(settings: Settings, home: Home) -> Registry:
    url = settings.registry_url or f"http://127.0.0.1:{settings.registry_port}"
    return Registry(url, logins=registry_logins(settings, home))


def registry_logins(settings: Settings, home: Home) -> Logins:
    if not settings.registry_url:
        return FixedLogin(Login("wherry", home.secret("registry-password")))
    if settings.registry_helper:
        return HelperLogin(settings.registry_helper, urlsplit(settings.registry_url).hostname or "")
    return FixedLogin(Login(settings.registry_username, settings.registry_secret))


def stacks(settings: Settings, home: Home) -> Stacks:
    return Stacks(open_registry(settings, home), settings.folder / "stacks", settings)


def open_builder(settings: Settings, home: Home) -> Builder:
    return open_pod_builder(settings, home) if settings.builds_on_cluster else open_own_builder(settings, home)


def open_own_builder(settings: Settings, home: Home, repository: str = "apps/{}") -> LifecycleBuilder:
    """On this machine's engine. `repository`: where images go, by the app's id."""
    sandbox = MachineSandbox(
        settings.engine, home.platform, pulls(settings, home), settings.subnet, settings.folder / "builds"
    )
    registry = open_registry(settings, home)
    images = MachineImageBuild(settings.engine, home.platform, pulls(settings, home), settings.subnet)
    containers = Containers(images, registry, settings)
    base = stacks(settings, home)
    return LifecycleBuilder(
        sandbox, base, registry, settings, trees=Trees(), containers=containers, repository=repository
    )


def open_pod_builder(settings: Settings, home: Home) -> PodBuilder:
    """What speaks to a cluster is loaded where there is one: see fittings/runtimes.py."""
    from wherry.runtimes.cluster.build_manifests import registry_rules
    from wherry.runtimes.cluster.build_pods import ClusterBuildPods
    from wherry.runtimes.cluster.client import Client
    from wherry.runtimes.cluster.ground import Pulls as NodePulls

    logins = registry_logins(settings, home)
    place = Place.of(image_address(settings))
    pods = ClusterBuildPods(
        Client(settings.kubeconfig),
        home.platform,
        NodePulls(str(place), logins),
        registry_rules(settings.registry_url),
        tuple(settings.build_networks.split()),
    )
    registry, base = open_registry(settings, home), stacks(settings, home)
    return PodBuilder(pods, base, registry, settings.registry_url, logins, place, settings.platform_image, settings)


def pulls(settings: Settings, home: Home) -> Pulls:
    """How the engine names our registry."""
    return Pulls(_address(settings, settings.registry_url), registry_logins(settings, home))


def image_address(settings: Settings) -> str:
    """How those name it who pull our images elsewhere: the nodes of a cluster, and who runs an app without us."""
    return _address(settings, settings.registry_pull_url or settings.registry_url)


def _address(settings: Settings, url: str) -> str:
    """Without a scheme."""
    parts = urlsplit(url)
    return str(Place.of(parts.netloc + parts.path)) if url else f"127.0.0.1:{settings.registry_port}"
