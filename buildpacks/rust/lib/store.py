"""Layers: their folders, and the metadata by which the next build knows what is in them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path


class Layers:
    """`folder`: the buildpack's layers. `work` goes at the end of the build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._work = tempfile.TemporaryDirectory(dir=folder, prefix=".work-")
        self.work = Path(self._work.name)
        # Types never come back: what this build does not ask for ends here.
        self._known = {path.stem: _metadata(path) for path in folder.glob("*.toml")}

    def close(self) -> None:
        self._work.cleanup()

    def known(self, name: str) -> dict[str, str]:
        """The metadata of the last build's layer; nothing when its folder is not there."""
        return self._known.get(name, {}) if (self.folder / name).is_dir() else {}

    def fresh(self, name: str) -> Path:
        """The path of the layer, with nothing there."""
        path = self.folder / name
        if path.exists():
            shutil.rmtree(path)
        return path

    def keep(self, name: str, types: set[str], metadata: Mapping[str, str]) -> None:
        lines = ["[types]", *(f"{each} = true" for each in sorted(types)), "", "[metadata]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in metadata.items()]
        (self.folder / f"{name}.toml").write_text("\n".join(lines) + "\n")

    def drop(self, name: str) -> None:
        self.fresh(name)
        (self.folder / f"{name}.toml").unlink(missing_ok=True)


def key_of(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def write_env(layer: Path, files: Mapping[str, str]) -> None:
    """Only into a layer that is new: a file written again would make the layer a changed one."""
    for name, value in files.items():
        path = layer / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(value)


def _metadata(path: Path) -> dict[str, str]:
    try:
        found = tomllib.loads(path.read_text()).get("metadata", {})
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)}
