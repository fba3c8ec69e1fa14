"""Folders that a build script finds again at the next build: those of `cacheDirectories` in package.json, as on Heroku, and
where Next.js keeps what it has compiled. node_modules are kept by other means.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import manifest
import modules
from install import MOST_CACHED
from store import Layers
from talk import detail, output_of

_LAYER = "kept"
_NEXT = ".next/cache"


def names_of(values: dict[str, Any]) -> list[str]:
    """Paths below the app's folder; what leads out of it is said and left out."""
    asked = values.get("cacheDirectories", values.get("cache_directories"))
    names = [each for each in asked if isinstance(each, str)] if isinstance(asked, list) else []
    if "next" in manifest.table(values, "dependencies"):
        names.append(_NEXT)
    found = []
    for name in names:
        path = PurePosixPath(os.path.normpath(name))
        if path.is_absolute() or path.parts[:1] in ((), ("..",)):
            detail(f"cacheDirectories: {name[:100]} is no folder below the app's; it is left out")
        elif modules.NAME not in path.parts and str(path) not in found:
            found.append(str(path))
    return found


@contextmanager
def folders(layers: Layers, app: Path, names: list[str], version: str) -> Iterator[None]:
    """`version`: of Node.js; what another one made is not brought back. A build that fails keeps what there was."""
    layer, metadata = layers.folder / _LAYER, {"node": version}
    if not names or layers.known(_LAYER) != metadata:
        layers.drop(_LAYER)
    if not names:
        yield
        return
    layer.mkdir(exist_ok=True)
    layers.keep(_LAYER, {"cache"}, metadata)
    _copy(names, layer, app)
    yield
    _copy(names, app, layers.fresh(_LAYER))
    layer.mkdir(exist_ok=True)
    code, out, _ = output_of(["du", "-sm", str(layer)], os.environ, layers.folder)
    if code != 0 or int(out.split()[0]) > MOST_CACHED:
        detail(f"{', '.join(names)}: more than {MOST_CACHED} MiB, so the next build begins without")
        layers.drop(_LAYER)


def _copy(names: list[str], source: Path, target: Path) -> None:
    """Folders, none that a link leads elsewhere from."""
    for name in names:
        below = (source / name).resolve().is_relative_to(source.resolve())
        if (source / name).is_dir() and below and (target / name).resolve().is_relative_to(target.resolve()):
            shutil.copytree(source / name, target / name, symlinks=True, dirs_exist_ok=True)
