"""How an app asks to be built, apart from what its source says."""

from __future__ import annotations

from dataclasses import dataclass

CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """`stack` "container" builds its Dockerfile, "" the stack there is. `buildpacks` in their order, as the user named
    them; none: what detects. `builder`: a builder image of others, "" for our own lifecycle.
    """

    stack: str = ""
    buildpacks: tuple[str, ...] = ()
    builder: str = ""


DEFAULT = BuildSettings()
