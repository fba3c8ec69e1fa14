"""What a build's pod is told: one JSON document, in a Secret, since the app's config is in it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from wherry.builds.builder_reading import BuilderImage
from wherry.domain.build_settings import BuildSettings
from wherry.domain.image import Image
from wherry.domain.model import Source
from wherry.domain.secret import Secret
from wherry.flow.ports import BuildRequest

INPUT, BUNDLE = "input.json", "ca-certificates.crt"
"""Names of files among the pod's inputs."""


@dataclass(frozen=True, slots=True)
class StackBase:
    """Our own stack: digests of its images, and the ids of the user that builds."""

    build: str
    run: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class BuilderBase:
    """A builder image of others, its run image as the pod finds it; `env` counts less than the app's config."""

    builder: BuilderImage
    env: Mapping[str, str]

    @property
    def uid(self) -> int:
        return self.builder.uid

    @property
    def gid(self) -> int:
        return self.builder.gid


@dataclass(frozen=True, slots=True)
class PodInput:
    """`base`: what it builds on. `settings`: WHERRY_…, of the programs in the pod. `operator`: variables that the operator
    gives to builds. `registry`: URL, username, password.
    """

    request: BuildRequest
    base: StackBase | BuilderBase
    settings: Mapping[str, str]
    operator: Mapping[str, str]
    registry: tuple[str, str, Secret] = field(repr=False)

    def dump(self) -> bytes:
        """Values of config may be any bytes; JSON's escapes carry them."""
        request = self.request
        url, username, password = self.registry
        document = {
            "app": [request.app_id, request.app_name],
            "build": [request.build_id, request.attempt],
            "source": [request.source.commit, request.source.tree, request.source.archive],
            "config": {name: value.reveal() for name, value in request.config.items()},
            "previous": [request.previous.repository, request.previous.digest] if request.previous else None,
            "asked": [request.settings.stack, list(request.settings.buildpacks)],
            "base": asdict(self.base),
            "settings": dict(self.settings),
            "operator": dict(self.operator),
            "registry": [url, username, password.reveal()],
        }
        return json.dumps(document).encode()

    @classmethod
    def load(cls, content: bytes) -> PodInput:
        """Raises ValueError, KeyError or TypeError for what `dump` did not write."""
        found = json.loads(content)
        (app_id, app_name), (build_id, attempt) = found["app"], found["build"]
        stack, buildpacks = found["asked"]
        request = BuildRequest(
            int(app_id),
            str(app_name),
            int(build_id),
            int(attempt),
            Source(*found["source"]),
            {name: Secret(value) for name, value in found["config"].items()},
            Image(*found["previous"]) if found["previous"] else None,
            BuildSettings(stack, tuple(buildpacks)),
        )
        url, username, password = found["registry"]
        return cls(
            request, _base(found["base"]), found["settings"], found["operator"], (url, username, Secret(password))
        )


def _base(found: dict[str, Any]) -> StackBase | BuilderBase:
    if "builder" in found:
        return BuilderBase(BuilderImage(**found["builder"]), found["env"])
    return StackBase(**found)
