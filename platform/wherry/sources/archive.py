"""A plain tar that depends on nothing but the tree: git's order, fixed owner and time, one file after the other in
constant memory.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable
from typing import IO

from wherry.sources.tree import Entry, Kind

# 1980-01-01T00:00:01Z, the time that buildpack lifecycles write into layers.
TIME = 315_532_801

_MODES = {Kind.FILE: 0o644, Kind.PROGRAM: 0o755, Kind.LINK: 0o777, Kind.FOLDER: 0o755}
_TYPES = {Kind.LINK: tarfile.SYMTYPE, Kind.FOLDER: tarfile.DIRTYPE}


def header(entry: Entry, target: str = "") -> bytes:
    info = tarfile.TarInfo(entry.path)
    info.mode = _MODES[entry.kind]
    info.type = _TYPES.get(entry.kind, tarfile.REGTYPE)
    info.size = entry.size if info.type == tarfile.REGTYPE else 0
    info.linkname = target
    info.mtime = TIME
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def write_file(file: IO[bytes], entry: Entry, chunks: Iterable[bytes]) -> None:
    file.write(header(entry))
    for chunk in chunks:
        file.write(chunk)
    file.write(bytes(-entry.size % tarfile.BLOCKSIZE))


def finish(file: IO[bytes]) -> None:
    file.write(bytes(2 * tarfile.BLOCKSIZE))
