"""Folders of a cache as compressed tars and back, with the times of their files: compilers and package managers go by
them. (A layer of an image has none.)
"""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from isal import isal_zlib

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable
from wherry.images.layers import Layer

_PIECE = 1024 * 1024


def pack(top: Path, names: Iterable[str], blobs: Path, *, timeless: bool = False) -> Layer:
    """What stands at `names` below `top`, with all below each. Neither owners nor what is no file, folder or link are
    kept; `timeless`: no times either. Raises OSError.
    """
    draft = blobs / "draft"
    with draft.open("wb") as file:
        blob = _Blob(file)
        with tarfile.open(fileobj=cast(IO[bytes], blob), mode="w|", format=tarfile.PAX_FORMAT, bufsize=_PIECE) as tar:
            for name in names:
                tar.add(top / name, name, filter=_timeless if timeless else _plain)
        diff_id, digest, size = blob.finish()
    draft.rename(blobs / digest)
    return Layer(f"sha256:{diff_id}", f"sha256:{digest}", size, blobs / digest)


def unpack(blob: Path, folder: Path) -> None:
    """Nothing is written but below folders of `folder`, and through no link. Raises InvalidInput for a tar that is not as
    `pack` writes them, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seen = _Seen()
    try:
        with tarfile.open(blob, "r|gz", bufsize=_PIECE) as tar:
            if hasattr(tarfile, "fully_trusted_filter"):  # what may come out is checked here
                tar.extraction_filter = tarfile.fully_trusted_filter
            for entry in tar:
                seen.check(entry)
                tar.extract(entry, folder, set_attrs=not entry.isdir())
            for entry in reversed(seen.folders.values()):  # a folder's own, when nothing in it changes any more
                tar.chmod(entry, str(folder / entry.name))
                tar.utime(entry, str(folder / entry.name))
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise InvalidInput(f"a layer of it is broken: {printable(str(error), 200)}") from error


@dataclass
class _Seen:
    """`folders` and `files` so far, by name."""

    folders: dict[str, tarfile.TarInfo] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)

    def check(self, entry: tarfile.TarInfo) -> None:
        """Its first folder may be there already, any further one is of this tar; so no link is ever on the way."""
        parts = entry.name.split("/")
        strange = len(parts) < 2 or any(part in ("", ".", "..") for part in parts) or "\0" in entry.name
        above = ["/".join(parts[:end]) for end in range(2, len(parts))]
        strange = strange or any(each not in self.folders for each in above) or entry.name in self.folders
        if entry.isdir():
            self.folders[entry.name] = entry
        elif entry.isreg():
            self.files.add(entry.name)
        elif not entry.issym():
            strange = strange or not entry.islnk() or entry.linkname not in self.files
        if strange:
            raise InvalidInput(f"a layer of it has a strange entry: {printable(entry.name, 100)}")


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (entry.isreg() or entry.isdir() or entry.issym() or entry.islnk()):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _timeless(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    entry.mtime = 0
    return _plain(entry)


class _Blob:
    """Compresses and digests what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._tar, self._blob, self._size = hashlib.sha256(), hashlib.sha256(), 0
        self._compressor = isal_zlib.compressobj(level=1, wbits=31)

    def write(self, data: bytes) -> int:
        self._tar.update(data)
        self._emit(self._compressor.compress(data))
        return len(data)

    def finish(self) -> tuple[str, str, int]:
        """diffID and digest as hex, and the size."""
        self._emit(self._compressor.flush())
        return self._tar.hexdigest(), self._blob.hexdigest(), self._size

    def _emit(self, data: bytes) -> None:
        self._blob.update(data)
        self._size += len(data)
        self._file.write(data)
