"""Bills of materials that buildpacks wrote, as files of one layer (buildpack.md "Software-Bill-of-Materials"). Those of
what was there for the build only are kept in it too, apart.

Written by code that we do not trust: every read goes through `beneath`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wherry.builds import beneath
from wherry.builds.model import Buildpack, Built
from wherry.domain.errors import InvalidInput

FORMATS = ("cdx.json", "spdx.json", "syft.json")
MOST_BYTES = 32 * 1024 * 1024


def sbom_files(built: Built) -> dict[str, tuple[bytes, int]]:
    """Path in the image to (content, mode): ``/layers/sbom/<launch or build>/<buildpack>[/<layer>]/sbom.<format>``.

    Raises InvalidInput for what is no regular file of at most 32 MiB.
    """
    found = {}
    for buildpack in built.group:
        for name, phase in _names(built, buildpack):
            for kind in FORMATS:
                content = beneath.read(built.layers_dir, f"{buildpack.escaped}/{name}.sbom.{kind}", MOST_BYTES)
                if content is not None:
                    place = buildpack.escaped if name == phase else f"{buildpack.escaped}/{name}"
                    found[f"/layers/sbom/{phase}/{place}/sbom.{kind}"] = (content, 0o644)
    return found


def sboms_beside(layer: Path) -> dict[str, bytes]:
    """By format, those of the layer with this folder. One that cannot be read counts as none: export tells of it."""
    found = {}
    for kind in FORMATS:
        try:
            content = beneath.read(layer.parent, f"{layer.name}.sbom.{kind}", MOST_BYTES)
        except InvalidInput:
            continue
        if content is not None:
            found[kind] = content
    return found


def _names(built: Built, buildpack: Buildpack) -> Iterator[tuple[str, str]]:
    """What there may be a bill of, and when it was there: of the buildpack as a whole, then of each layer."""
    yield from (("launch", "launch"), ("build", "build"))
    for each in built.layers:
        if each.buildpack.id == buildpack.id:
            yield each.name, "launch" if each.launch else "build"
