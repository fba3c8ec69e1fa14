"""The layers that a buildpack left: ``<layers>/<buildpack>/<name>`` with ``<name>.toml`` (buildpack.md "Layers").

Written by code that we do not trust: every read goes through `beneath`.
"""

from __future__ import annotations

import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wherry.builds import beneath, toml_files
from wherry.builds.additions import leads_to_folder
from wherry.builds.env import BUILD_PATHS, Change, changes_of, path_changes
from wherry.builds.model import Buildpack, BuiltLayer
from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

LAYERS = "/layers"
"""Where the layers lie in the container and in the image."""
NOT_LAYERS = ("build", "launch", "store")
_MOST_LAYERS = 1000
_MOST_BYTES = 1024 * 1024
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Types:
    launch: bool = False
    build: bool = False
    cache: bool = False

    @property
    def any(self) -> bool:
        return self.launch or self.build or self.cache


def scan(layers: Path, buildpack: Buildpack) -> tuple[BuiltLayer, ...]:
    """The layers in the order of their names; a folder whose layer has no type is renamed ``<name>.ignore``.

    Raises InvalidInput for a layer that cannot be one.
    """
    found = []
    for layer, types in _each(layers, buildpack):
        if types.any:
            found.append(layer)
        elif layer.folder is not None:
            _set_aside(layer.folder)
    return tuple(found)


def declared(layers: Path, buildpack: Buildpack) -> tuple[BuiltLayer, ...]:
    """As `scan`, of a buildpack that may have failed; changes nothing."""
    return tuple(layer for layer, types in _each(layers, buildpack) if types.any)


def _each(layers: Path, buildpack: Buildpack) -> Iterator[tuple[BuiltLayer, Types]]:
    folder = buildpack.escaped
    for name in NOT_LAYERS:
        _no_layer(layers, f"{folder}/{name}")
    files = [name for name in beneath.names(layers, folder) if name.endswith(".toml")]
    names = [name for file in files if (name := file.removesuffix(".toml")) not in NOT_LAYERS]
    if len(names) > _MOST_LAYERS:
        raise InvalidInput(f"{buildpack.id} left {len(names)} layers; the most is {_MOST_LAYERS}")
    for name in names:
        yield _read(layers, buildpack, checked_name(name))


def build_changes(layers: Path, built: tuple[BuiltLayer, ...]) -> list[Change]:
    """What the layers of one buildpack change for the buildpacks after it, layer by layer.

    The spec says that layers go in ascending order; the reference prepends them one by one, so that the last name ends
    up first. We do as the reference does, since buildpacks are tried on it.
    """
    changes: list[Change] = []
    for layer in built:
        if not layer.build or layer.folder is None:
            continue
        inside = f"{layer.buildpack.escaped}/{layer.name}"
        have = [name for name in BUILD_PATHS if leads_to_folder(beneath.mode(layers, f"{inside}/{name}"))]
        changes += path_changes(f"{LAYERS}/{inside}", have, BUILD_PATHS)
        for folder in ("env", "env.build"):
            changes += _env_folder(layers, f"{inside}/{folder}")
    return changes


def _read(layers: Path, buildpack: Buildpack, name: str) -> tuple[BuiltLayer, Types]:
    path = f"{buildpack.escaped}/{name}"
    table = toml_files.parse(beneath.read(layers, f"{path}.toml", _MOST_BYTES) or b"", f"{path}.toml")
    given = table.table("types")
    types = Types(given.flag("launch"), given.flag("build"), given.flag("cache"))
    mode = beneath.mode(layers, path)
    if mode and not stat.S_ISDIR(mode):
        raise InvalidInput(f"the layer {printable(path)} is not a folder")
    folder = layers / path if mode else None
    metadata = table.table("metadata").values
    return BuiltLayer(buildpack, name, folder, types.launch, types.build, types.cache, metadata), types


def checked_name(name: str) -> str:
    """`name`, when it can be a folder's and a file's. Raises InvalidInput."""
    if name in ("", ".", "..", *NOT_LAYERS) or "/" in name or len(name) > _LONGEST_NAME:
        raise InvalidInput(f"'{printable(name, 60)}' is not the name of a layer")
    if any(unicodedata.category(c)[0] == "C" for c in name):
        raise InvalidInput(f"'{printable(name, 60)}' is not the name of a layer")
    return name


def _set_aside(folder: Path) -> None:
    target = folder.with_name(f"{folder.name}.ignore")
    if beneath.mode(folder.parent, target.name):
        raise InvalidInput(f"{printable(target.name)} is in the way")
    folder.rename(target)


def _no_layer(layers: Path, path: str) -> None:
    """``launch.toml`` and its kin say other things: a layer of that name would be lost in silence. Raises InvalidInput."""
    if not stat.S_ISDIR(beneath.mode(layers, path)):
        return
    content = beneath.read(layers, f"{path}.toml", _MOST_BYTES) or b""
    if toml_files.parse(content, f"{path}.toml").table("types").values:
        raise InvalidInput(f"a layer cannot be named {path.rpartition('/')[2]}")


def _env_folder(layers: Path, inside: str) -> list[Change]:
    files = {}
    for name in beneath.names(layers, inside):
        if not stat.S_ISDIR(beneath.mode(layers, f"{inside}/{name}")):
            files[name] = beneath.read(layers, f"{inside}/{name}", _MOST_BYTES) or b""
    return changes_of(files)
