"""Layers: the metadata by which the next build knows what is in them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path


def known(layer: Path) -> dict[str, str]:
    """The metadata of the last build's layer; nothing when its folder is not there."""
    try:
        found = tomllib.loads(_file(layer).read_text()).get("metadata", {})
    except (OSError, ValueError):
        return {}
    return dict(found) if layer.is_dir() else {}


def keep(layer: Path, types: set[str], metadata: Mapping[str, str]) -> None:
    lines = ["[types]", *(f"{each} = true" for each in sorted(types)), "", "[metadata]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in metadata.items()]
    _file(layer).write_text("\n".join(lines) + "\n")


def _file(layer: Path) -> Path:
    return layer.with_name(f"{layer.name}.toml")
