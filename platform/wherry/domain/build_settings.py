"""How an app asks to be built, apart from what its source says."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

CONTAINER, BUILDPACKS = "container", "wherry-12"
STACKS = (CONTAINER, BUILDPACKS)
"""By its Dockerfile, and by buildpacks on Debian 12."""


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """`stack` "container" builds its Dockerfile, "wherry-12" builds by buildpacks; "" leaves it to the app's files.
    `buildpacks` in their order, as the user named them; none: what detects. `builder`: a builder image of others, "" for
    our own lifecycle.
    """

    stack: str = ""
    buildpacks: tuple[str, ...] = ()
    builder: str = ""


DEFAULT = BuildSettings()


def stack_named(wanted: object) -> str:
    """Raises InvalidInput for one that is not here."""
    if isinstance(wanted, str) and wanted in STACKS:
        return wanted
    shown = printable(wanted, 60) if isinstance(wanted, str) else type(wanted).__name__
    raise InvalidInput(f"there is no stack '{shown}'", problems=[f"have {', '.join(STACKS)}"])
