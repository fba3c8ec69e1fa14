"""What a build's pod builds on: our own stack, or the builder image of others that the app asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from wherry.builds.builder_image import KnownBuilders
from wherry.builds.builder_reading import BuilderImage, chosen_builder
from wherry.builds.pod_input import BuilderBase, StackBase
from wherry.builds.pod_yard import builder_ground, stack_ground
from wherry.builds.stacks import BUILD, Stack
from wherry.domain.registry_names import Place
from wherry.flow.pod_ports import GROUND
from wherry.flow.ports import BuildRequest, Say

HOME = f"{GROUND}/home"
"""The platform's folder, for its programs in the pod."""


@dataclass(frozen=True, slots=True)
class PodBase:
    """`image` as nodes pull it; `mounts` of the container that builds, but for the operator's certificates."""

    image: str
    told: StackBase | BuilderBase
    mounts: Mapping[str, tuple[str, bool]]

    @property
    def user(self) -> str:
        return f"{self.told.uid}:{self.told.gid}"


def of_stack(stack: Stack, pulls: Place, *, has_bundle: bool) -> PodBase:
    told = StackBase(stack.build.digest, stack.run.digest, stack.uid, stack.gid)
    places = stack_ground(Path(HOME)).places(has_bundle)
    return PodBase(pulls.reference(BUILD, stack.build.digest), told, _below(places))


@dataclass(frozen=True, slots=True)
class PodBuilders:
    """The builder images that the operator allows (`allowed`). `url` and `pulls`: our own registry as pods and as nodes
    reach it, where it has one of them.
    """

    known: KnownBuilders
    allowed: str
    url: str
    pulls: Place

    def asked(self, request: BuildRequest, say: Say, *, has_bundle: bool) -> PodBase | None:
        """None for our own stack. Raises PlatformFault for a builder that cannot be used."""
        chosen = chosen_builder(request, self.allowed)
        if chosen is None:
            return None
        reference, env = chosen
        builder = self.known.of(reference, say)
        image = self._as_named(builder.reference, self.pulls.host)
        told = BuilderBase(self._for_pods(builder), dict(env))
        places = builder_ground(Path(HOME), request.app_id).places(has_bundle)
        return PodBase(image, told, _below(places))

    def _for_pods(self, builder: BuilderImage) -> BuilderImage:
        return replace(builder, run_image=self._as_named(builder.run_image, urlsplit(self.url).netloc))

    def _as_named(self, reference: str, host: str) -> str:
        ours, _, path = reference.partition("/")
        return f"{host}/{path}" if ours == self.known.registry.address.partition("/")[0] else reference


def _below(places: Mapping[str, tuple[Path, bool]]) -> dict[str, tuple[str, bool]]:
    return {path: (str(folder.relative_to(GROUND)), read_only) for path, (folder, read_only) in places.items()}
