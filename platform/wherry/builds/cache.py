"""An app's cached layers, kept from its last good build to the next one as one unit that moves and is never copied.

A build claims the unit by renaming it into its own work folder, so two builds cannot share it and a crash loses it as
a whole. It comes back when the build was good. After a build that failed by a buildpack's own word it has what the
buildpacks before that one made, and the caches of that one as it left them: a layer that is for the cache only is a
tool's own, and tools expect to be broken off. Else, and always after a build that was killed, a layer comes back only
when nothing has changed it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from wherry.builds import beneath, toml_files
from wherry.builds.disk import remove
from wherry.builds.export_sbom import FORMATS, sboms_beside
from wherry.builds.model import Buildpack, BuiltLayer
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput, WherryError

_MOST_BYTES = 1024 * 1024
_STEP = 0.5  # seconds by which the clock may wander before we stop believing times of change

_KILLED = frozenset({BuildFailure.OUT_OF_MEMORY, BuildFailure.OUT_OF_TIME, BuildFailure.LOG_TOO_LONG})


@dataclass(frozen=True, slots=True)
class Cached:
    """A layer of the unit; `metadata` as its buildpack wrote it, without types; `sboms` by format."""

    buildpack: str
    name: str
    metadata: dict[str, object]
    sboms: Mapping[str, bytes] = field(default_factory=dict)


class CacheUnit:
    """`home`: the app's folder of caches; `claimed`: a path in the build's work folder, on the same disk. `good`: the
    layers of a build whose every buildpack succeeded, once it has. `left`: those that a build which failed leaves.
    """

    def __init__(self, home: Path, claimed: Path) -> None:
        self._home = home
        self._unit = claimed
        self._moved: list[tuple[Path, Path]] = []
        self.good: Sequence[BuiltLayer] | None = None
        self.left: Sequence[BuiltLayer] = ()
        self._since = 0
        self._offset = 0.0

    def claim(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        try:
            (self._home / "good").rename(self._unit)
        except FileNotFoundError:
            self._unit.mkdir()

    def cached(self, buildpack: Buildpack) -> Iterator[Cached]:
        """What the unit has of a buildpack of this id. A record that cannot be read counts as none."""
        for file in beneath.names(self._unit, buildpack.escaped):
            name = file.removesuffix(".toml")
            if name == file or not (self._unit / buildpack.escaped / name).is_dir():
                continue
            content = beneath.read(self._unit, f"{buildpack.escaped}/{file}", _MOST_BYTES) or b""
            try:
                metadata = toml_files.parse(content, file).table("metadata").values
            except InvalidInput:
                continue
            sboms = sboms_beside(self._unit / buildpack.escaped / name)
            yield Cached(buildpack.escaped, name, dict(metadata), sboms)

    def move_into(self, layers: Path, cached: Cached) -> None:
        source, target = (root / cached.buildpack / cached.name for root in (self._unit, layers))
        source.rename(target)
        self._moved.append((source, target))

    def begin(self) -> None:
        """The build's programs start now: what changes later in a layer, they have changed."""
        self._since = _now_on_disk(self._unit)
        self._offset = time.time() - time.monotonic()

    def failed(self, error: WherryError) -> None:
        """A build that was killed leaves nothing of its own: its programs did not end as they would."""
        if not isinstance(error, BuildFailed) or error.kind in _KILLED:
            self.left = ()

    def put_back(self) -> None:
        """At the end of every build; nothing when the unit was never claimed."""
        if not self._unit.exists():
            return
        if self.good is None:
            unit = self._unchanged({each.folder for each in self.left if each.cache})
            self._take(self.left, unit)
        else:
            unit = self._unit.with_name(f"{self._unit.name}.new")
            unit.mkdir()
            self._take(self.good, unit)  # layers that it no longer has end here
        self._put(unit)

    def _take(self, layers: Sequence[BuiltLayer], unit: Path) -> None:
        """This build's cached layers, each in place of what the unit had of it."""
        for layer in layers:
            if layer.cache and layer.folder is not None and layer.folder.is_dir() and not layer.folder.is_symlink():
                target = unit / layer.buildpack.escaped / layer.name
                target.parent.mkdir(exist_ok=True)
                sboms = sboms_beside(layer.folder)
                layer.folder.rename(target)
                content = toml_files.render({"metadata": dict(layer.metadata)})
                target.with_name(f"{layer.name}.toml").write_bytes(content)
                for kind in FORMATS:
                    target.with_name(f"{layer.name}.sbom.{kind}").unlink(missing_ok=True)
                for kind, bill in sboms.items():
                    target.with_name(f"{layer.name}.sbom.{kind}").write_bytes(bill)

    def _unchanged(self, taken: Collection[Path | None]) -> Path:
        """The old unit, with those layers only that the failed build did not touch: never one half changed. Without the
        folders `taken`.
        """
        steady = abs(time.time() - time.monotonic() - self._offset) < _STEP
        for source, target in self._moved:
            if target in taken:
                continue
            if not self._since or (steady and _untouched(target, self._since)):
                target.rename(source)
        return self._unit

    def _put(self, unit: Path) -> None:
        """A late worker of an older attempt may do the same: the last one wins, and neither mixes with the other."""
        for old in self._home.glob("old-*"):
            remove(old)
        with suppress(FileNotFoundError):
            (self._home / "good").rename(self._home / f"old-{time.time_ns()}")
        unit.rename(self._home / "good")
        for old in self._home.glob("old-*"):
            remove(old)


def _now_on_disk(folder: Path) -> int:
    """The time that the kernel would write as a change now (its clock for this is coarser than ours), ns."""
    mark = folder / ".now"
    mark.touch()
    now = mark.stat().st_ctime_ns
    mark.unlink()
    return now


def _untouched(folder: Path, since: int) -> bool:
    """Nobody can set the time of change of what lies below; the folder's own changes with each rename, so its
    entries' modification time stands for it."""
    try:
        if os.lstat(folder).st_mtime_ns >= since:
            return False
        waiting = [os.fspath(folder)]
        while waiting:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.stat(follow_symlinks=False).st_ctime_ns >= since:
                        return False
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    except OSError:  # gone, or replaced by something else
        return False
    return True


def forget(home: Path) -> None:
    if home.exists():
        remove(home)
