"""Layers: the metadata by which the next build knows what is in them."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

_MOST_CACHED = 2048  # MiB


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


def keep_cache(layer: Path) -> None:
    """What a tool fetched; it starts anew when it has grown too large, for nothing else is ever taken out of it."""
    if not layer.is_dir():
        return
    size = subprocess.run(["du", "-sm", layer], capture_output=True, text=True, check=True).stdout.split()[0]
    if int(size) > _MOST_CACHED:
        shutil.rmtree(layer)
        _file(layer).unlink(missing_ok=True)
    else:
        keep(layer, {"cache"}, {})


def _file(layer: Path) -> Path:
    return layer.with_name(f"{layer.name}.toml")
