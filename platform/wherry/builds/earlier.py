"""The image of the last build: what the next build takes from it without having its files (buildpack.md "Phase #2",
"Launch Layers").

A label that is not as an exporter writes it counts as none: the image may have been made elsewhere.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from wherry.builds.additions import Additions, in_layer, recorded
from wherry.builds.export_sbom import FORMATS, MOST_BYTES
from wherry.builds.model import Buildpack, BuiltLayer
from wherry.builds.surroundings import EXEC_ENV
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput, NotFound
from wherry.domain.text import printable
from wherry.images.layer_cache import LayerCache
from wherry.images.layers import Layer

LABEL = "io.buildpacks.lifecycle.metadata"
LAUNCH_SBOMS = "layers/sbom/launch/"
_MOST_SBOMS = 10_000
_MOST_TOGETHER = 256 * 1024 * 1024

Fetch = Callable[[Layer], Path]
"""Brings a layer's blob to this machine. Raises NotFound, PlatformFault."""


@dataclass(frozen=True)
class Earlier:
    labels: Mapping[str, str] = field(default_factory=dict)
    layers: Sequence[Layer] = ()
    fetch: Fetch | None = None

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        try:
            metadata = json.loads(self.labels.get(LABEL, "{}"))
        except (ValueError, RecursionError):
            return {}
        return metadata if isinstance(metadata, dict) else {}

    @cached_property
    def buildpacks(self) -> Mapping[str, Mapping[str, Any]]:
        """By id. An image of another execution environment has none."""
        if self.metadata.get("exec-env", EXEC_ENV) not in ("", EXEC_ENV):
            return {}
        found = self.metadata.get("buildpacks")
        listed = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        return {str(each.get("key", "")): each for each in listed}

    def layer(self, buildpack: str, name: str) -> Layer | None:
        """By the diffID that the label has for it."""
        found = table(table(self.buildpacks.get(buildpack, {}), "layers"), name).get("sha")
        return next((each for each in self.layers if each.diff_id == found), None)

    def needed(self, layer: BuiltLayer) -> Layer:
        """The one that `layer` reuses. Raises BuildFailed when there is none (buildpack.md "Export")."""
        found = self.layer(layer.buildpack.id, layer.name)
        if found is None:
            raise BuildFailed(
                BuildFailure.BUILDPACK_FAILED,
                f"the buildpack {layer.buildpack.id} reuses its layer {printable(layer.name)}, "
                "which the previous image does not have",
                hint="The buildpack must make the layer again when it finds no metadata of it.",
            )
        return found

    def additions(self, layer: BuiltLayer, records: LayerCache) -> Additions:
        """Of a layer that is reused; the packed layer is read once, and remembered. Raises BuildFailed, InvalidInput."""
        found = self.needed(layer)
        if known := recorded(records.notes(found.diff_id)):
            return known
        if self.fetch is None:
            raise InvalidInput(f"the layer {printable(layer.name)} cannot be fetched")
        blob = self.fetch(found)
        try:
            additions = in_layer(blob, f"layers/{layer.buildpack.escaped}/{layer.name}")
        finally:
            blob.unlink(missing_ok=True)
        records.note(found.diff_id, additions.record())
        return additions

    def sboms(self, buildpack: Buildpack, layer: str) -> Mapping[str, bytes]:
        """By format, those of one layer."""
        found = {kind: self._sboms.get(f"{buildpack.escaped}/{layer}/sbom.{kind}") for kind in FORMATS}
        return {kind: content for kind, content in found.items() if content is not None}

    @cached_property
    def _sboms(self) -> Mapping[str, bytes]:
        """By path below /layers/sbom/launch. An image whose bills cannot be read has none."""
        wanted = table(self.metadata, "sbom").get("sha")
        layer = next((each for each in self.layers if each.diff_id == wanted), None)
        if layer is None or self.fetch is None:
            return {}
        try:
            blob = self.fetch(layer)
        except NotFound:
            return {}
        try:
            return sboms_in(blob)
        except InvalidInput:
            return {}
        finally:
            blob.unlink(missing_ok=True)


def sboms_in(blob: Path, below: str = LAUNCH_SBOMS) -> dict[str, bytes]:
    """Path below the folder `below` to content. Raises InvalidInput."""
    found: dict[str, bytes] = {}
    left = _MOST_TOGETHER
    try:
        with tarfile.open(blob, "r:*") as tar:
            for number, entry in enumerate(tar):
                left -= entry.size
                if number > _MOST_SBOMS or entry.size > MOST_BYTES or left < 0:
                    raise InvalidInput("the image's bills of materials are too large")
                if entry.name.startswith(below) and entry.isfile() and (file := tar.extractfile(entry)):
                    found[entry.name.removeprefix(below)] = file.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InvalidInput(f"the image's bills of materials cannot be read: {printable(str(error), 200)}") from error
    return found


def table(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """What stands under `key`; nothing for what is no table."""
    value = values.get(key)
    return value if isinstance(value, dict) else {}
