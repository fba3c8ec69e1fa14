"""The layers that a buildpack left: ``<layers>/<buildpack>/<name>`` with ``<name>.toml`` (buildpack.md "Layers").

Written by code that we do not trust: every read goes through `beneath`.
"""

from __future__ import annotations

import stat
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wherry.builds import beneath, toml_files
from wherry.builds.env import BUILD_PATHS, LAUNCH_PATHS, Change, changes_of, path_changes
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
    folder = buildpack.escaped
    files = [name for name in beneath.names(layers, folder) if name.endswith(".toml")]
    names = [name for file in files if (name := file.removesuffix(".toml")) not in NOT_LAYERS]
    if len(names) > _MOST_LAYERS:
        raise InvalidInput(f"{buildpack.id} left {len(names)} layers; the most is {_MOST_LAYERS}")
    found = []
    for name in names:
        layer, types = _read(layers, buildpack, checked_name(name))
        if types.any:
            found.append(layer)
        elif layer.folder is not None:
            _set_aside(layer.folder)
    return tuple(found)


def build_changes(layers: Path, built: tuple[BuiltLayer, ...]) -> list[Change]:
    """What the layers of one buildpack change for the buildpacks after it.

    The spec says that layers go in ascending order; the reference prepends them one by one, so that the last name ends
    up first. We do as the reference does, since buildpacks are tried on it.
    """
    present = [layer for layer in built if layer.build and layer.folder is not None]
    return _changes(layers, present, BUILD_PATHS, ("env", "env.build"))


def launch_changes(layers: Path, built: tuple[BuiltLayer, ...], process: str = "") -> list[Change]:
    """What the layers of one buildpack change for processes of a type (or, with "", for any command)."""
    present = [layer for layer in built if layer.launch and layer.folder is not None]
    folders = ("env", "env.launch", *([f"env.launch/{process}"] if process else ()))
    return _changes(layers, present, LAUNCH_PATHS, folders)


def scripts(layers: Path, layer: BuiltLayer, folder: str) -> list[str]:
    """The files of ``profile.d`` or ``exec.d`` as paths in the image; folders in it are not looked into."""
    inside = f"{layer.buildpack.escaped}/{layer.name}/{folder}"
    if not stat.S_ISDIR(beneath.mode(layers, inside)):
        return []
    found = (f"{inside}/{name}" for name in beneath.names(layers, inside))
    return [f"{LAYERS}/{path}" for path in found if not stat.S_ISDIR(beneath.mode(layers, path))]


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


def _changes(
    layers: Path, present: list[BuiltLayer], paths: Mapping[str, tuple[str, ...]], folders: tuple[str, ...]
) -> list[Change]:
    changes: list[Change] = []
    for layer in present:
        inside = f"{layer.buildpack.escaped}/{layer.name}"
        have = [name for name in paths if _leads_to_folder(beneath.mode(layers, f"{inside}/{name}"))]
        changes += path_changes(f"{LAYERS}/{inside}", have, paths)
    for layer in present:
        for name in folders:
            changes += _env_folder(layers, f"{layer.buildpack.escaped}/{layer.name}/{name}")
    return changes


def _leads_to_folder(mode: int) -> bool:
    """A link counts: where it leads is only true in the container, and a path that is not there does no harm."""
    return stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _env_folder(layers: Path, inside: str) -> list[Change]:
    files = {}
    for name in beneath.names(layers, inside):
        if not stat.S_ISDIR(beneath.mode(layers, f"{inside}/{name}")):
            files[name] = beneath.read(layers, f"{inside}/{name}", _MOST_BYTES) or b""
    return changes_of(files)
