"""A builder as a worker on a cluster has it, on the tests' Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest
from wherry.builds.given_stack import GivenStack
from wherry.builds.pod_builder import PodBuilder
from wherry.builds.stacks import BUILD, RUN, Stack
from wherry.domain.errors import BuildFailed
from wherry.domain.image import Image
from wherry.domain.secret import Secret
from wherry.flow.ports import BuildRequest, Cancel
from wherry.images.registry import Registry
from wherry.images.stored import copy_image
from wherry.runtimes.cluster.build_manifests import namespace_name
from wherry.settings import Settings

from tests.builds.pod_image import platform_image
from tests.builds.takeover_kit import Harbour
from tests.builds.yard import Yard
from tests.cluster.cluster import Cluster
from tests.cluster.registry import ClusterRegistry
from tests.runtimes.machine_world import eventually

_APPS = count(1)


@dataclass
class Pods:
    """A builder as a worker on a cluster has it; `said` are the lines of the last build."""

    cluster: Cluster
    found: ClusterRegistry
    registry: Registry
    stack: GivenStack
    image: str
    platform: str
    home: Path
    settings: Settings = field(default_factory=lambda: replace(Settings.load({}), build_memory_mb="256"))
    said: list[str] = field(default_factory=list)
    app: int = field(default_factory=lambda: next(_APPS))

    @property
    def harbour(self) -> Harbour:
        found, known = self.found, self.stack.known()
        return Harbour(
            str(self.cluster.kubeconfig),
            self.platform,
            (found.address, found.address, found.address_in_pods, found.user, found.password),
            (known.build.digest, known.run.digest, self.image),
            self.home,
        )

    @property
    def builder(self) -> PodBuilder:
        return self.harbour.builder(self.settings)

    def build(self, app: Path, previous: Image | None = None, cancel: Cancel | None = None, **config: str) -> Image:
        self.said.clear()
        request = self.request(app, previous, **config)
        builder = self.builder

        def say(line: str, mark: str = "") -> None:
            self.said.append(line)

        try:
            return builder.build(request, say, cancel or Cancel())
        finally:
            builder.sweep(request.build_id)
            builder.registry.close()

    def request(self, app: Path, previous: Image | None = None, **config: str) -> BuildRequest:
        packer = Yard(self.home, self.registry, self.stack.known(), self.platform, None)  # type: ignore[arg-type]
        return packer.request(app, self.app, previous, **config)

    def failure(self, app: Path) -> BuildFailed:
        with pytest.raises(BuildFailed) as caught:
            self.build(app)
        return caught.value

    def left(self) -> list[str]:
        """Names of what builds have left in the cluster."""
        found = self.cluster.kubectl(
            "get", "jobs,pods,secrets", f"--namespace={namespace_name(self.platform)}", "-o=name"
        )
        return [each for each in found.split() if each != "secret/registry"]

    def images_of(self, app_id: int) -> set[str]:
        """Digests of all that was ever pushed for it."""
        of_app = f"registry/data/docker/registry/v2/repositories/apps/{app_id}/_manifests/revisions/sha256"
        return {f"sha256:{each.name}" for each in (self.cluster.state / of_app).glob("*")}

    def left_pod(self) -> str:
        return next(each.partition("/")[2] for each in self.left() if each.startswith("pod/"))

    def leave_nothing(self) -> bool:
        """A pod that has ended takes the cluster a moment to clear up."""
        eventually(lambda: self.left() == [])
        return True


@pytest.fixture
def pods(
    cluster: Cluster,
    cluster_registry: ClusterRegistry,
    cluster_platform_id: str,
    stack_registry: tuple[Registry, Stack],
    tmp_path: Path,
) -> Iterator[Pods]:
    source, stack = stack_registry
    login = (cluster_registry.user, Secret(cluster_registry.password))
    registry = Registry(f"http://{cluster_registry.address}", *login)
    for repository, image in ((BUILD, stack.build), (RUN, stack.run)):
        copy_image(source, repository, image.digest, registry, repository, tmp_path)
    given = GivenStack(registry, stack.build.digest, stack.run.digest)
    image = platform_image(registry, given.known(), tmp_path)
    yield Pods(cluster, cluster_registry, registry, given, image, cluster_platform_id, tmp_path)
    registry.close()


def script(folder: Path, text: str, *before: str) -> Path:
    """An app that is built by the buildpacks `before`, and then by a script of its own."""
    groups = "".join(f'[[io.buildpacks.group]]\nid = "{each}"\n' for each in before)
    own = f'[[io.buildpacks.group]]\nid = "test/own"\n[io.buildpacks.group.script]\napi = "0.10"\ninline = """\n{text}\n"""\n'
    folder.mkdir(exist_ok=True)
    (folder / "project.toml").write_text(f'[_]\nschema-version = "0.2"\n{groups}{own}')
    (folder / "Procfile").write_text("web: true\n")
    return folder
