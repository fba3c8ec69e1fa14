"""Layers: entries packed as a deterministic tar, compressed and digested in one pass, in constant memory."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import isal
from isal import isal_zlib

from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.domain.text import printable
from wherry.images.entries import Entry

MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
COMPRESSOR = f"isal-{isal.__version__}-gzip-2"
"""What makes a blob's bytes beside its tar; a part of every key that leads to a digest."""
TIME = 315532801
"""1980-01-01T00:00:01Z: every entry's mtime (buildpacks spec, platform.md, "Reproducibility")."""

_BLOCK = 512
_FLUSH = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Layer:
    """`diff_id` is the digest of the tar, `digest` and `size` are the blob's. `path` is the blob on this machine, None
    where only the registry has it.
    """

    diff_id: str
    digest: str
    size: int
    path: Path | None = field(default=None, compare=False)
    media_type: str = MEDIA_TYPE
    note: str = field(default="", compare=False)
    """For people: who made it (``created_by`` of the image's history)."""


def pack(entries: Iterable[Entry], blobs: Path, note: str = "") -> Layer:
    """Writes the blob into the folder `blobs`, named by its digest.

    Raises PlatformFault when a file cannot be read or changes under the reader, or the disk is full.
    """
    blobs.mkdir(parents=True, exist_ok=True)
    draft = None
    try:
        with tempfile.NamedTemporaryFile(dir=blobs, prefix=".draft-", delete=False) as file:
            draft = Path(file.name)
            digests = _Digests(file.write)
            for chunk in _gather(_tar(entries)):
                digests.add(chunk)
            layer = digests.finish(blobs, note)
        draft.rename(layer.path or draft)
    except OSError as error:
        raise PlatformFault(f"a layer cannot be packed: {printable(str(error), 300)}") from error
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
    return layer


class _Digests:
    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._tar, self._blob, self._size = hashlib.sha256(), hashlib.sha256(), 0
        self._compressor = isal_zlib.compressobj(level=2, wbits=31)

    def add(self, chunk: bytes) -> None:
        self._tar.update(chunk)
        self._emit(self._compressor.compress(chunk))

    def finish(self, blobs: Path, note: str) -> Layer:
        self._emit(self._compressor.flush())
        digest = self._blob.hexdigest()
        return Layer(f"sha256:{self._tar.hexdigest()}", f"sha256:{digest}", self._size, blobs / digest, note=note)

    def _emit(self, data: bytes) -> None:
        self._blob.update(data)
        self._size += len(data)
        self._write(data)


def _gather(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about 1 MiB: digest and compressor cost a call each."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= _FLUSH:
            yield b"".join(parts)
            parts, size = [], 0
    yield b"".join(parts)


def _tar(entries: Iterable[Entry]) -> Iterator[bytes]:
    links: dict[tuple[int, int], str] = {}
    for entry in entries:
        header = _header(entry)
        if stat.S_ISREG(entry.mode) and entry.status is not None and entry.status.st_nlink > 1:
            inode = (entry.status.st_dev, entry.status.st_ino)
            if inode in links:
                header.type, header.size, header.linkname = tarfile.LNKTYPE, 0, links[inode]
            else:
                links[inode] = header.name
        yield header.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
        if header.isreg() and header.size:
            yield from _content(entry)
            yield b"\0" * (-header.size % _BLOCK)
    yield b"\0" * (2 * _BLOCK)


def _header(entry: Entry) -> tarfile.TarInfo:
    """GNU's format carries any name byte for byte; extended attributes have no place in it, which drops them."""
    header = tarfile.TarInfo(entry.path.lstrip("/"))
    header.mode, header.uid, header.gid, header.mtime = stat.S_IMODE(entry.mode), entry.uid, entry.gid, TIME
    if stat.S_ISDIR(entry.mode):
        header.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(entry.mode):
        header.type, header.linkname = tarfile.SYMTYPE, entry.target
    elif stat.S_ISREG(entry.mode):
        header.size = entry.status.st_size if entry.status else len(entry.content)
    else:
        raise InvalidInput(f"{printable(entry.path)} is neither a file, a folder nor a link")
    return header


def _content(entry: Entry) -> Iterator[bytes]:
    """Exactly the bytes that the header announced, from exactly the file that was seen."""
    if entry.status is None:
        yield entry.content
        return
    descriptor = os.open(entry.source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor, not a path
        found = os.fstat(descriptor)
        left = entry.status.st_size
        same = (found.st_dev, found.st_ino, found.st_size) == (entry.status.st_dev, entry.status.st_ino, left)
        while same and left and (chunk := file.read(min(left, _FLUSH))):
            left -= len(chunk)
            yield chunk
    if left or not same:
        raise PlatformFault(f"{printable(entry.path, 300)} changed while it was packed")
