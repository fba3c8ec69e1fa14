"""Restore: what buildpacks find again of their last build (platform.md "restorer").

Layers of the cache come with contents and metadata, which are of the same build because they are kept as one unit. Of
the previous image come the metadata of layers that are for launch only, and each buildpack's store. Types never come
back: a buildpack says anew what a layer is for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from wherry.builds import toml_files
from wherry.builds.cache import CacheUnit
from wherry.builds.descriptor import Descriptor
from wherry.builds.ground import Ground
from wherry.builds.layers import checked_name
from wherry.builds.surroundings import EXEC_ENV
from wherry.domain.errors import InvalidInput

LABEL = "io.buildpacks.lifecycle.metadata"


def restore(
    group: Sequence[Descriptor], ground: Ground, cache: CacheUnit, previous_labels: Mapping[str, str]
) -> list[str]:
    """Names of the layers whose contents are there again, as "buildpack:layer"."""
    previous = _buildpacks(previous_labels)
    restored = []
    for descriptor in group:
        folder = ground.layers_of(descriptor)
        known = previous.get(descriptor.id, {})
        for name, metadata in _launch_only(known).items():
            ground.write(folder / f"{name}.toml", _toml({"metadata": metadata}))
        for layer in cache.cached(descriptor.buildpack):
            cache.move_into(ground.layers, layer)
            ground.write(folder / f"{layer.name}.toml", toml_files.render({"metadata": layer.metadata}))
            restored.append(f"{descriptor.id}:{layer.name}")
        if store := _of(_of(known, "store"), "metadata"):
            ground.write(folder / "store.toml", _toml({"metadata": store}))
    return restored


def _buildpacks(labels: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """By id. A label that is not as we write it counts as none, and so does an image of another execution
    environment.
    """
    try:
        metadata = json.loads(labels.get(LABEL, "{}"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(metadata, dict) or metadata.get("exec-env", EXEC_ENV) not in ("", EXEC_ENV):
        return {}
    found = metadata.get("buildpacks")
    listed = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    return {str(each.get("key", "")): each for each in listed}


def _launch_only(buildpack: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = {}
    for name, layer in _of(buildpack, "layers").items():
        if isinstance(layer, dict) and layer.get("launch") and not layer.get("build") and not layer.get("cache"):
            try:
                found[checked_name(name)] = _of(layer, "data")
            except InvalidInput:
                continue
    return found


def _of(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _toml(values: Mapping[str, Any]) -> bytes:
    return toml_files.render(_without_null(values))


def _without_null(value: Any) -> Any:
    """JSON has null, TOML has not."""
    if isinstance(value, dict):
        return {key: _without_null(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_null(each) for each in value if each is not None]
    return value
