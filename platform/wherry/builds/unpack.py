"""Unpacks a source archive for the build user. The archive is ours (sources.export), and still nothing in it is
believed: only files, folders and links come out, and none outside the folder.
"""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

from wherry.domain.errors import BuildFailed, BuildFailure, PlatformFault
from wherry.domain.text import printable

Owner = tuple[int, int]
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Caps:
    """`unpacked` bytes of all files, `entries` of all kinds."""

    unpacked: int
    entries: int


def unpack(archive: Path, folder: Path, owner: Owner | None) -> None:
    """`folder` is new and empty, and belongs to `owner` (uid, gid) afterwards, as all in it; None: to who runs this.

    Raises BuildFailed (BAD_SOURCE) for an entry that is not to be, PlatformFault when the disk fails.
    """
    try:
        with tarfile.open(archive, "r:") as tar:
            _Unpacking(folder, owner).all(tar)
    except tarfile.TarError as error:
        raise PlatformFault(f"the source archive cannot be read: {printable(str(error), 300)}") from error
    except OSError as error:
        raise PlatformFault(f"the source cannot be unpacked: {printable(str(error), 300)}") from error


def unpack_from(tar: tarfile.TarFile, folder: Path, caps: Caps, *, rooted: bool = False) -> None:
    """An archive that is not ours, into a folder that is; `rooted`: names may begin with a slash. Raises as `unpack`,
    and TarError.
    """
    try:
        _Unpacking(folder, None, caps, rooted=rooted, inside="its folder").all(tar)
    except OSError as error:
        raise PlatformFault(f"a buildpack cannot be unpacked: {printable(str(error), 300)}") from error


class _Unpacking:
    """Entries are made below folders that this object made, so no link is ever on the way."""

    def __init__(
        self,
        folder: Path,
        owner: Owner | None,
        caps: Caps | None = None,
        *,
        rooted: bool = False,
        inside: str = "the app",
    ) -> None:
        self._root = os.fspath(folder)
        self._owner = owner
        self._caps = caps
        self._rooted = rooted
        self._inside = inside
        self._folders = {""}
        self._links: list[str] = []

    def all(self, tar: tarfile.TarFile) -> None:
        self._own(self._root)
        size = 0
        for number, entry in enumerate(tar, 1):
            size += entry.size
            if self._caps and (number > self._caps.entries or size > self._caps.unpacked):
                most = f"{self._caps.entries} entries or {self._caps.unpacked // 2**20} MiB"
                raise BuildFailed(BuildFailure.BAD_SOURCE, f"the archive has more than {most}")
            self._one(tar, entry)
        root = os.path.realpath(self._root)
        for link in self._links:
            target = os.path.realpath(f"{self._root}/{link}")
            if target != root and not target.startswith(f"{root}/"):
                raise _refused(link, f"is a link that leads out of {self._inside}")

    def _one(self, tar: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
        name = entry.name.removesuffix("/")
        if self._caps:
            name = (name.lstrip("/") if self._rooted else name).removeprefix("./")
            if name in ("", ".") and entry.isdir():
                return
        parts = name.split("/")
        if not name or name.startswith("/") or any(part in ("", ".", "..") for part in parts) or "\0" in name:
            raise _refused(name, f"is not a path inside {self._inside}")
        self._parents(parts)
        if entry.isdir():
            self._folder(name)
        elif entry.issym():
            self._link(name, entry.linkname)
        elif entry.isreg() and not entry.issparse():
            self._file(tar, entry, name)
        else:
            raise _refused(name, "is neither a file, a folder nor a link")

    def _parents(self, parts: list[str]) -> None:
        for end in range(1, len(parts)):
            self._folder("/".join(parts[:end]))

    def _folder(self, name: str) -> None:
        if name in self._folders:
            return
        path = f"{self._root}/{name}"
        try:
            os.mkdir(path)  # noqa: PTH102 - half the time of Path, for every entry
        except FileExistsError:
            raise _refused(name, "stands in the archive twice, once as a folder") from None
        os.chmod(path, 0o755)  # noqa: PTH101, S103 - the build's user reads it
        self._own(path)
        self._folders.add(name)

    def _link(self, name: str, target: str) -> None:
        if target.startswith("/"):
            raise _refused(name, f"is a link that leads out of {self._inside}")
        try:
            os.symlink(target, f"{self._root}/{name}")  # noqa: PTH211
        except FileExistsError:
            raise _refused(name, "stands in the archive twice") from None
        self._own(f"{self._root}/{name}")
        self._links.append(name)

    def _file(self, tar: tarfile.TarFile, entry: tarfile.TarInfo, name: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(f"{self._root}/{name}", flags, 0o600)
        except FileExistsError:
            raise _refused(name, "stands in the archive twice") from None
        with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123 - a descriptor, not a path
            if content := tar.extractfile(entry):
                while chunk := content.read(_PIECE):
                    file.write(chunk)
            os.fchmod(descriptor, 0o755 if entry.mode & 0o111 else 0o644)
            if self._owner:
                os.fchown(descriptor, *self._owner)

    def _own(self, path: str) -> None:
        if self._owner:
            os.chown(path, *self._owner, follow_symlinks=False)


def _refused(name: str, why: str) -> BuildFailed:
    return BuildFailed(BuildFailure.BAD_SOURCE, f"{printable(name) or 'an entry without a name'} {why}")
