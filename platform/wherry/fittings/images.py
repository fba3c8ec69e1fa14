"""What makes images and keeps them."""

from __future__ import annotations

from urllib.parse import urlsplit

from wherry.builds.builder import LifecycleBuilder
from wherry.builds.container import Containers
from wherry.builds.stacks import Stacks
from wherry.home import Home
from wherry.images.registry import Registry
from wherry.runtimes.machine.image_build import MachineImageBuild
from wherry.runtimes.machine.pull import Registry as Pulls
from wherry.runtimes.machine.sandbox import MachineSandbox
from wherry.settings import Settings
from wherry.sources.fetch import Trees


def open_registry(settings: Settings, home: Home) -> Registry:
    if settings.registry_url:
        return Registry(settings.registry_url, settings.registry_username, settings.registry_secret)
    return Registry(f"http://127.0.0.1:{settings.registry_port}", "wherry", home.secret("registry-password"))


def stacks(settings: Settings, home: Home) -> Stacks:
    return Stacks(open_registry(settings, home), settings.folder / "stacks", settings)


def open_builder(settings: Settings, home: Home) -> LifecycleBuilder:
    sandbox = MachineSandbox(
        settings.engine, home.platform, pulls(settings, home), settings.subnet, settings.folder / "builds"
    )
    registry = open_registry(settings, home)
    images = MachineImageBuild(settings.engine, home.platform, pulls(settings, home), settings.subnet)
    containers = Containers(images, registry, settings)
    return LifecycleBuilder(sandbox, stacks(settings, home), registry, settings, trees=Trees(), containers=containers)


def pulls(settings: Settings, home: Home) -> Pulls:
    """How the engine names our registry: without a scheme."""
    if settings.registry_url:
        parts = urlsplit(settings.registry_url)
        address = (parts.netloc + parts.path).rstrip("/")
        return Pulls(address, settings.registry_username, settings.registry_secret)
    return Pulls(f"127.0.0.1:{settings.registry_port}", "wherry", home.secret("registry-password"))
