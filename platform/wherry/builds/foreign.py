"""Archives of others, unpacked: gzip or plain tar, within caps, and nothing but files, folders and links that stay
inside (T11, B80).
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wherry.builds.unpack import Caps, unpack_from
from wherry.domain.errors import BuildFailed, BuildFailure
from wherry.domain.text import printable

MIB = 1024 * 1024
MOST_PACKED = 256 * MIB
CAPS = Caps(unpacked=512 * MIB, entries=20_000)
_PIECE = MIB
_GZIP = b"\x1f\x8b"


def unpack_archive(archive: Path, folder: Path, *, rooted: bool = False, diff_id: str = "") -> None:
    """`folder` is new and empty. `rooted`: names may begin with a slash, as in layers of images. `diff_id`: the
    ``sha256:…`` that the tar itself must have. Raises BuildFailed (BAD_SOURCE), PlatformFault when the disk fails.
    """
    plain = folder.parent / f"{folder.name}.tar"
    digest = _inflate(archive, plain)
    try:
        if diff_id and digest != diff_id:
            raise refused(f"a layer is {digest}, and should be {diff_id}")
        with plain.open("rb") as file, closing(_Bounded(file)) as bounded:
            try:
                with tarfile.open(fileobj=bounded, mode="r:") as tar:  # type: ignore[call-overload]
                    unpack_from(tar, folder, CAPS, rooted=rooted)
            except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
                raise refused(f"the archive cannot be read: {printable(str(error), 200)}") from error
    finally:
        plain.unlink(missing_ok=True)


def sha256_of(file: Path) -> str:
    hashed = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            hashed.update(piece)
    return f"sha256:{hashed.hexdigest()}"


def refused(message: str) -> BuildFailed:
    return BuildFailed(BuildFailure.BAD_SOURCE, message)


def _inflate(archive: Path, plain: Path) -> str:
    """The tar itself, on the disk and never in memory; its digest."""
    hashed, size = hashlib.sha256(), 0
    with archive.open("rb") as start:
        packed = start.read(2) == _GZIP
    try:
        with gzip.open(archive) if packed else archive.open("rb") as source, plain.open("xb") as target:
            while piece := source.read(_PIECE):
                size += len(piece)
                if size > CAPS.unpacked + CAPS.entries * 1024:
                    raise refused(f"the archive is larger than {CAPS.unpacked // MIB} MiB when unpacked")
                hashed.update(piece)
                target.write(piece)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise refused(f"the archive cannot be read: {printable(str(error), 200)}") from error
    return f"sha256:{hashed.hexdigest()}"


@dataclass(slots=True)
class _Bounded:
    """A file of which nobody reads more than a piece at once: the long headers of a tar are read whole into memory."""

    file: IO[bytes]

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _PIECE:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self.file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def close(self) -> None:
        self.file.close()
