"""What lies in the layers of an app: packages by their package.json, Node.js and npm. A bill that is there was made with
its layer, and stays.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cyclonedx
from store import Layers

_DEEPEST = 32


def write(layers: Layers, node: str, fresh: bool) -> None:
    """`node`: its version; `fresh`: whether packages were installed in this build."""
    folder = layers.folder
    if fresh or not cyclonedx.file_of(folder / "modules").is_file():
        cyclonedx.write(folder / "modules", _below(folder / "modules", _DEEPEST))
    if _version_of(folder / "node") != node:
        cyclonedx.write(
            folder / "node", [cyclonedx.component("generic", "node", node, licences=["MIT"], is_a="platform")]
        )
    npm = folder / "npm/npm"
    if npm.is_dir() and _version_of(folder / "npm") != str(_manifest(npm).get("version")):
        own = _package(npm)
        cyclonedx.write(folder / "npm", [*([own] if own else []), *_of(npm / "node_modules", _DEEPEST)])
    if (folder / "pm").is_dir():
        cyclonedx.write(folder / "pm", _of(folder / "pm/node_modules", 0))


def _version_of(layer: Path) -> str | None:
    """Of npm or Node.js in the bill of the last build."""
    try:
        listed = json.loads(cyclonedx.file_of(layer).read_text())["components"]
        return next((str(each.get("version")) for each in listed if each["name"] == layer.name), None)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _below(folder: Path, deepest: int) -> Iterator[cyclonedx.Component]:
    """Of every node_modules in the layer, which lies there as it did in the app."""
    if not deepest or not folder.is_dir():
        return
    for entry in _folders(folder):
        if entry.name == "node_modules":
            yield from _of(entry, _DEEPEST)
        elif entry.name != ".git":
            yield from _below(entry, deepest - 1)


def _of(modules: Path, deepest: int) -> Iterator[cyclonedx.Component]:
    """Packages lie right there, in scopes, in a package's own node_modules, and in pnpm's store."""
    for entry in _folders(modules):
        if entry.name.startswith("@"):
            places = _folders(entry)
        elif entry.name == ".pnpm":
            for stored in _folders(entry):
                yield from _of(stored / "node_modules", deepest)
            continue
        else:
            places = [] if entry.name.startswith(".") else [entry]
        for place in places:
            if found := _package(place):
                yield found
            if deepest:
                yield from _of(place / "node_modules", deepest - 1)


def _folders(folder: Path) -> list[Path]:
    """Links lead to what is counted elsewhere, or is the app's own."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [Path(each.path) for each in entries if each.is_dir(follow_symlinks=False)]


def _package(folder: Path) -> cyclonedx.Component | None:
    values = _manifest(folder)
    name, version = values.get("name"), values.get("version")
    if not isinstance(name, str) or not isinstance(version, str) or not name:
        return None
    group, _, own = name.rpartition("/")
    return cyclonedx.component("npm", own, version, group=group, licences=_licences(values))


def _licences(values: dict[str, Any]) -> list[str]:
    """package.json's `license`, and two older forms of it."""
    given = values.get("license") or values.get("licenses")
    listed = given if isinstance(given, list) else [given]
    words = [each.get("type") if isinstance(each, dict) else each for each in listed]
    return [each for each in words if isinstance(each, str)]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "package.json").read_text("utf-8", "replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
