"""The build context of a Dockerfile: its folder as a plain tar, without what .dockerignore leaves out.

The engine expects its client to leave out: patterns are those of .dockerignore, anchored at the context's root, and the
last that matches a path or a folder above it decides. Owners and times are constants, so that the same tree is the same context.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

from pathspec import PathSpec

from wherry.builds import beneath, patterns
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput, PlatformFault
from wherry.domain.text import printable

IGNORE = ".dockerignore"
_MOST_BYTES = 64 * 1024
_TIME = 315_532_801  # 1980-01-01 00:00:01, which zip and its kin can hold too


def write(app: Path, folder: str, keep: str, target: Path, bundle: tuple[str, Path] | None = None) -> int:
    """Writes `folder` of `app` to `target`, `keep` (the Dockerfile) whatever is left out; how many files were.
    `bundle`: a file to add, as (path in the context, file). Raises BuildFailed, PlatformFault.
    """
    root = app / folder if folder else app
    ignored = _ignored(app, f"{folder}/{IGNORE}" if folder else IGNORE)
    try:
        with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
            left_out = _add_tree(tar, root, lambda path: path not in (keep, IGNORE) and ignored(path))
            if bundle and not os.path.lexists(root / bundle[0]):
                tar.add(bundle[1].resolve(), bundle[0], filter=_plain)
    except OSError as error:
        raise PlatformFault(f"the build context cannot be written: {printable(str(error), 300)}") from error
    return left_out


def _add_tree(tar: tarfile.TarFile, root: Path, ignored: Callable[[str], bool]) -> int:
    """Folders come with the first of what is in them, and empty ones when they are not left out themselves."""
    left_out = 0
    for folder, below, files in os.walk(root):
        below.sort()
        relative = os.path.relpath(folder, root)
        prefix = "" if relative == "." else f"{relative}/"
        links = [name for name in below if os.path.islink(f"{folder}/{name}")]  # noqa: PTH114 - many files
        if prefix and not (ignored(relative) and not files and not below):
            tar.add(folder, relative, recursive=False, filter=_plain)
        for name in sorted([*files, *links]):
            if ignored(prefix + name):
                left_out += 1
            else:
                tar.add(f"{folder}/{name}", prefix + name, recursive=False, filter=_plain)
    return left_out


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = _TIME
    return entry


def _ignored(app: Path, file: str) -> Callable[[str], bool]:
    try:
        content = beneath.read(app, file, _MOST_BYTES)
        lines = (content or b"").decode("utf-8-sig").split("\n")
    except (InvalidInput, UnicodeDecodeError) as error:
        said = error.message if isinstance(error, InvalidInput) else f"{printable(file)} is not UTF-8 text"
        raise BuildFailed(BuildFailure.BAD_SOURCE, said) from error
    wanted = [_anchored(each) for line in lines if (each := line.strip()) and not each.startswith("#")]
    if faults := patterns.faults(wanted):
        problems = [f"{printable(file)}: {wanted[at] if at is not None else 'it'} {why}" for at, why in faults.items()]
        raise BuildFailed(BuildFailure.BAD_SOURCE, f"{printable(file)} is not right", evidence=problems)
    both = [line for each in wanted for line in (each, f"{each}/**")]
    return PathSpec.from_lines("gitignore", both, backend="re2").match_file


def _anchored(pattern: str) -> str:
    """As gitignore has it: with a slash in front, whatever it began with."""
    sign, body = ("!", pattern[1:].strip()) if pattern.startswith("!") else ("", pattern)
    return f"{sign}/{body.removeprefix('./').strip('/')}"
