"""Ports for images that our own lifecycle does not make: of Dockerfiles, and from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from wherry.domain.bill import Bill
from wherry.domain.image import Image, Start
from wherry.flow.ports import Cancel


class Images(Protocol):
    """Images that were made elsewhere."""

    def take_in(self, app_id: int, reference: str) -> Start:
        """Afterwards our registry serves the image in the app's repository: its digest, and how it starts by itself.

        Raises InvalidInput for what is no image by digest, or from a place that is not allowed; NotFound, PlatformFault.
        """

    def copy(self, image: Image, app_id: int) -> Image:
        """Afterwards our registry serves the image in the app's repository too; nothing but names moves. Raises NotFound,
        PlatformFault.
        """


class ImageBuild(Protocol):
    """Builds images of Dockerfiles, with the engine's own builder, without credentials. Built by a runtime, used by the
    builder.
    """

    def build(self, spec: ImageBuildSpec, on_line: Callable[[bytes], None], cancel: Cancel) -> str:
        """The digest of the image, once our registry serves it. Each line of the build goes to `on_line` as it comes.

        Raises BuildFailed (STEP_FAILED, OUT_OF_MEMORY, OUT_OF_TIME, LOG_TOO_LONG), Cancelled, PlatformFault.
        """

    def forget(self, app_id: int) -> None:
        """Removes the layers that are kept for the app's next build."""


@dataclass(frozen=True, slots=True)
class ImageBuildSpec:
    """`context`: a plain tar; `dockerfile`: its path in there; `target`: the stage to stop at, "" for the last one.
    `repository`: where in our registry the image goes. `bases`: references that it builds on. `name`:
    which of the app's images, [a-z0-9-]; only its own earlier layers are used again. `labels`: added to the image, in no
    step that is told of.

    Caps: `memory` MiB, `cpu` thousandths of a core, `pids` processes a step, `seconds` wall time, `log_bytes` of output.
    """

    app_id: int
    build_id: int
    name: str
    context: Path
    dockerfile: str
    repository: str
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    memory: int = 2048
    cpu: int = 2000
    pids: int = 1024
    seconds: float = 900.0
    log_bytes: int = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OnBase:
    """An image on the newest base, whose digest is `base`."""

    image: Image
    base: str


@dataclass(frozen=True, slots=True)
class Below:
    """Digests: of the base that an image is `now` on, and of the `newest`."""

    now: str
    newest: str


class Bases(Protocol):
    """What lies below the images that buildpacks made."""

    def rebase(self, image: Image) -> OnBase:
        """Afterwards the registry serves the image on the newest base; the same image when it is on it already. Nothing
        is built, and no layer moves.

        Raises Conflict for an image whose base cannot be exchanged, PlatformFault.
        """

    def below(self, image: Image) -> Below:
        """Changes nothing. Raises Conflict for an image that does not say what it is on, PlatformFault."""


class Bills(Protocol):
    """What images say that they are made of."""

    def of(self, image: Image) -> Bill:
        """Raises NotFound for an image that is gone or that no buildpack made, PlatformFault."""
