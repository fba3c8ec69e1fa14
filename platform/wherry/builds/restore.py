"""Restore: what buildpacks find again of their last build (platform.md "restorer").

Layers of the cache come with contents, metadata and bills of materials, which are of the same build because they are
kept as one unit: so there is no diffID to compare. Of the previous image come the metadata and bills of layers that are
for launch only, and each buildpack's store. Types never come back: a buildpack says anew what a layer is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wherry.builds import toml_files
from wherry.builds.cache import CacheUnit
from wherry.builds.descriptor import Descriptor
from wherry.builds.earlier import Earlier, table
from wherry.builds.ground import Ground
from wherry.builds.layers import checked_name
from wherry.domain.errors import InvalidInput


def restore(group: Sequence[Descriptor], ground: Ground, cache: CacheUnit, earlier: Earlier) -> list[str]:
    """Names of the layers whose contents are there again, as "buildpack:layer"."""
    restored = []
    for descriptor in group:
        folder = ground.layers_of(descriptor)
        known = earlier.buildpacks.get(descriptor.id, {})
        cached = list(cache.cached(descriptor.buildpack))
        for name, metadata in _launch_only(known).items():
            if name not in {each.name for each in cached}:
                ground.write(folder / f"{name}.toml", _toml({"metadata": metadata}))
                _put_sboms(ground, folder, name, earlier.sboms(descriptor.buildpack, name))
        for layer in cached:
            cache.move_into(ground.layers, layer)
            ground.write(folder / f"{layer.name}.toml", toml_files.render({"metadata": layer.metadata}))
            _put_sboms(ground, folder, layer.name, layer.sboms)
            restored.append(f"{descriptor.id}:{layer.name}")
        if store := table(table(known, "store"), "metadata"):
            ground.write(folder / "store.toml", _toml({"metadata": store}))
    return restored


def _put_sboms(ground: Ground, folder: Path, layer: str, sboms: Mapping[str, bytes]) -> None:
    for kind, content in sboms.items():
        ground.write(folder / f"{layer}.sbom.{kind}", content)


def _launch_only(buildpack: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, layer in table(buildpack, "layers").items():
        if isinstance(layer, dict) and layer.get("launch") and not layer.get("build") and not layer.get("cache"):
            try:
                found[checked_name(name)] = table(layer, "data")
            except InvalidInput:
                continue
    return found


def _toml(values: Mapping[str, Any]) -> bytes:
    return toml_files.render(_without_null(values))


def _without_null(value: Any) -> Any:
    """JSON has null, TOML has not."""
    if isinstance(value, dict):
        return {key: _without_null(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_null(each) for each in value if each is not None]
    return value
