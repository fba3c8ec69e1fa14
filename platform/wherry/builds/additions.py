"""What a launch layer adds to the processes of an image: folders for the paths, env files, scripts (buildpack.md
"Launch", "Environment").

Of a layer that was built it is read from its folder; of one that is reused, and has none here, from the layer itself.
Both are written by code that we do not trust.
"""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wherry.builds import beneath
from wherry.builds.env import LAUNCH_PATHS, Change, changes_of, path_changes
from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

ENV, SCRIPTS = ("env", "env.launch"), ("exec.d", "profile.d")
_BY_PROCESS = ("env.launch", "exec.d", "profile.d")
_MOST_BYTES = 1024 * 1024
_MOST_TOGETHER = 4 * _MOST_BYTES
"""Of one layer's env files. Linux starts no program with more than 128 KiB in a variable."""
_MOST_ENTRIES = 1_000_000
_MOST_UNPACKED = 8 * 1024**3


@dataclass(frozen=True, slots=True)
class Additions:
    """`paths`: those of LAUNCH_PATHS that it has. `env`: env folder to its files; `scripts`: folder to the names in it.
    A folder is ``exec.d``, or ``exec.d/web`` for one type of process.
    """

    paths: tuple[str, ...] = ()
    env: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    scripts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """As JSON can hold it; `recorded` reads it again."""
        env = {
            folder: {name: text.decode("latin-1") for name, text in files.items()} for folder, files in self.env.items()
        }
        return {
            "paths": list(self.paths),
            "env": env,
            "scripts": {key: list(each) for key, each in self.scripts.items()},
        }


def recorded(record: Mapping[str, Any]) -> Additions | None:
    """None for what is no such record."""
    try:
        env = {
            str(folder): {str(name): str(text).encode("latin-1") for name, text in files.items()}
            for folder, files in record["env"].items()
        }
        scripts = {str(key): tuple(map(str, each)) for key, each in record["scripts"].items()}
        return Additions(tuple(map(str, record["paths"])), env, scripts)
    except (KeyError, TypeError, AttributeError, UnicodeEncodeError):
        return None


def changes_for(placed: Sequence[tuple[str, Additions]], process: str = "") -> list[Change]:
    """Of the layers of one buildpack, each with its path in the image: first all paths, then all env files. `process`: a
    type; "" for any other command. Raises InvalidInput for what no environment can carry.
    """
    changes = [change for path, each in placed for change in path_changes(path, each.paths, LAUNCH_PATHS)]
    for _, each in placed:
        for folder in (*ENV, *([f"env.launch/{process}"] if process else ())):
            changes += changes_of(each.env.get(folder, {}))
    return changes


def scripts_for(placed: Sequence[tuple[str, Additions]], folder: str) -> list[str]:
    """Paths in the image of what layers have in ``exec.d`` or another folder, in order."""
    return [f"{path}/{folder}/{name}" for path, each in placed for name in each.scripts.get(folder, ())]


def on_disk(layers: Path, inside: str) -> Additions:
    """`inside`: the layer's folder below `layers`. Raises InvalidInput for an env file that is none."""
    paths = tuple(each for each in LAUNCH_PATHS if leads_to_folder(beneath.mode(layers, f"{inside}/{each}")))
    env: dict[str, dict[str, bytes]] = {}
    left = _MOST_TOGETHER
    for folder in _with_processes(layers, inside, ENV):
        for name in beneath.names(layers, f"{inside}/{folder}"):
            path = f"{inside}/{folder}/{name}"
            if not stat.S_ISDIR(beneath.mode(layers, path)):
                content = beneath.read(layers, path, _MOST_BYTES) or b""
                left = _after(left, len(content), inside)
                env.setdefault(folder, {})[name] = content
    scripts = {}
    for folder in _with_processes(layers, inside, SCRIPTS):
        if stat.S_ISDIR(beneath.mode(layers, f"{inside}/{folder}")):
            names = beneath.names(layers, f"{inside}/{folder}")
            scripts[folder] = tuple(
                name for name in names if not stat.S_ISDIR(beneath.mode(layers, f"{inside}/{folder}/{name}"))
            )
    return _told(Additions(paths, env, scripts))


def _after(left: int, size: int, place: str) -> int:
    if size > left:
        raise InvalidInput(f"the env files of {printable(place)} have more than {_MOST_TOGETHER // 1024**2} MiB")
    return left - size


def leads_to_folder(mode: int) -> bool:
    """A link counts: where it leads is only true in the container, and a path that is not there does no harm."""
    return stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _with_processes(layers: Path, inside: str, folders: Sequence[str]) -> Iterator[str]:
    for folder in folders:
        yield folder
        if folder in _BY_PROCESS and stat.S_ISDIR(beneath.mode(layers, f"{inside}/{folder}")):
            for name in beneath.names(layers, f"{inside}/{folder}"):
                if stat.S_ISDIR(beneath.mode(layers, f"{inside}/{folder}/{name}")):
                    yield f"{folder}/{name}"


def in_layer(blob: Path, place: str) -> Additions:
    """Of the packed layer `blob`, whose folder is `place` in the image (``layers/x/name``). Raises InvalidInput for one
    that cannot be read, or is too large to look into.
    """
    paths: list[str] = []
    env: dict[str, dict[str, bytes]] = {}
    scripts: dict[str, list[str]] = {}
    left = _MOST_TOGETHER
    try:
        with tarfile.open(blob, "r:*") as tar:
            for number, entry in enumerate(tar):
                if number > _MOST_ENTRIES or entry.offset > _MOST_UNPACKED:
                    raise InvalidInput(f"the layer {printable(place)} is too large to look into")
                parts = entry.name.removeprefix(f"{place}/").split("/")
                if not entry.name.startswith(f"{place}/") or len(parts) > 3:
                    continue
                folder, name = "/".join(parts[:-1]), parts[-1]
                if len(parts) == 1 and name in LAUNCH_PATHS and (entry.isdir() or entry.issym()):
                    paths.append(name)
                elif entry.isdir() or (len(parts) == 3 and parts[0] not in _BY_PROCESS):
                    continue
                elif parts[0] in ENV and len(parts) > 1:
                    file = tar.extractfile(entry) if entry.isfile() and entry.size <= _MOST_BYTES else None
                    if file is None:
                        raise InvalidInput(f"{printable(entry.name)} is not a file of at most {_MOST_BYTES} bytes")
                    left = _after(left, entry.size, place)
                    env.setdefault(folder, {})[name] = file.read()
                elif parts[0] in SCRIPTS and len(parts) > 1:
                    scripts.setdefault(folder, []).append(name)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InvalidInput(f"the layer {printable(place)} cannot be read: {printable(str(error), 200)}") from error
    ordered = tuple(each for each in LAUNCH_PATHS if each in paths)
    return _told(Additions(ordered, env, {key: tuple(sorted(each)) for key, each in scripts.items()}))


def _told(found: Additions) -> Additions:
    """Without the folders that have nothing."""
    env = {folder: files for folder, files in found.env.items() if files}
    return Additions(found.paths, env, {folder: names for folder, names in found.scripts.items() if names})
