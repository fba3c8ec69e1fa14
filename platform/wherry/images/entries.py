"""What a layer holds, as a list of entries: from a folder on disk, or from memory. Nothing is read here but names and
stats.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.domain.text import printable

LONGEST_PATH = 3500
"""Bytes. Linux ends at 4096, and engines prepend their own folder when they unpack a layer."""

Say = Callable[[str], None]
Pick = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of a layer: `path` is absolute in the image; `mode` has the file type (stat.S_IFMT) and permissions.

    A regular file has its bytes in `content`, or in the file `source` as `status` found it; a symlink its text in
    `target`.
    """

    path: str
    mode: int
    uid: int
    gid: int
    source: str = ""
    status: os.stat_result | None = None
    content: bytes = b""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder of this machine, to be packed as `prefix` of an image.

    `owner` is (uid, gid) for all of it, and then no entry keeps setuid, setgid or sticky bits; None keeps what the disk
    says. `pick` chooses by the path below `folder` ("a/b"): what it refuses is left out, and a folder's refusal leaves
    out all below. With `group_writes` the group may do what the owner may.
    """

    folder: Path
    prefix: str
    owner: tuple[int, int] | None = None
    pick: Pick | None = None
    group_writes: bool = False

    def entries(self, say: Say = lambda line: None) -> Iterator[Entry]:
        """Parents of the prefix, the folder, then everything below in the order of names; links are never followed.

        What an image cannot hold (sockets, fifos, devices) is left out, and `say` told. Raises InvalidInput for a path
        that is too long and for a folder that is none (or a link to one), PlatformFault when the disk fails.
        """
        try:
            status = self._top()
            yield from _parents(self.prefix)
            if self.prefix != "/":
                yield self._entry("", str(self.folder), status)
            yield from self._below(say)
        except OSError as error:
            raise PlatformFault(f"a layer cannot be read: {printable(str(error), 300)}") from error

    def looks(self) -> Iterator[str]:
        """Folder by folder, without regard to `pick`: its path, the names in it, and what the kernel moves with every
        change of each: the time of it, which nobody can set, the size and the inode. Of the top folder itself only what
        it is: renaming it moves its own time, and changes nothing in it. Raises as `entries`.

        A layer of dependencies has many thousand files, and every build comes by here: so there is one call to the
        kernel for each, below a folder that is open already, and no object of ours.
        """
        try:
            top = self._top()
            yield repr((top.st_dev, top.st_mode, top.st_uid, top.st_gid))
            waiting = [""]
            while waiting:
                below = waiting.pop()
                self._check_length(below)
                seen: list[int] = []
                with _opened(f"{self.folder}{below}") as folder:
                    names = sorted(os.listdir(folder))  # noqa: PTH208 - a descriptor, not a path
                    for name in names:
                        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                        seen += (status.st_ctime_ns, status.st_size, status.st_ino)
                        if stat.S_ISDIR(status.st_mode):
                            waiting.append(f"{below}/{name}")
                yield repr((below, names, seen))
        except OSError as error:
            raise PlatformFault(f"a layer cannot be read: {printable(str(error), 300)}") from error

    def _top(self) -> os.stat_result:
        status = os.lstat(self.folder)
        if not stat.S_ISDIR(status.st_mode):
            raise InvalidInput(f"{printable(str(self.folder), 300)} is not a folder")
        return status

    def _check_length(self, name: str) -> None:
        if len(os.fsencode(self.prefix)) + len(os.fsencode(name)) > LONGEST_PATH:
            raise InvalidInput(f"a path is longer than {LONGEST_PATH} bytes: {printable(name, 100)}")

    def _below(self, say: Say) -> Iterator[Entry]:
        waiting = [self._names("")]
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                waiting.pop()
                continue
            if self.pick and not self.pick(name):
                continue
            self._check_length(name)
            source = f"{self.folder}/{name}"
            status = os.lstat(source)
            kind = stat.S_IFMT(status.st_mode)
            if kind not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
                say(f"{printable(name)} is left out of the image: {_KINDS.get(kind, 'not a file')}")
                continue
            yield self._entry(name, source, status)
            if kind == stat.S_IFDIR:
                waiting.append(self._names(name))

    def _names(self, relative: str) -> Iterator[str]:
        """The paths of what lies in this folder, in the order of their bytes."""
        with os.scandir(f"{self.folder}/{relative}") as found:
            names = sorted(os.fsencode(each.name) for each in found)
        return (f"{relative}/{os.fsdecode(name)}" if relative else os.fsdecode(name) for name in names)

    def _entry(self, name: str, source: str, status: os.stat_result) -> Entry:
        mode = status.st_mode
        uid, gid = status.st_uid, status.st_gid
        if self.owner is not None:
            mode &= ~0o7000
            uid, gid = self.owner
        if self.group_writes and not stat.S_ISLNK(mode):
            mode |= (mode & 0o700) >> 3
        target = os.readlink(source) if stat.S_ISLNK(mode) else ""  # noqa: PTH115 - the text as it is
        path = f"{self.prefix.rstrip('/')}/{name}".rstrip("/")
        return Entry(path, mode, uid, gid, source, status, target=target)


@contextmanager
def _opened(folder: str) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def of_files(
    files: Mapping[str, tuple[bytes, int]], owner: tuple[int, int] = (0, 0), folders: Mapping[str, int] | None = None
) -> Iterator[Entry]:
    """Files from memory, absolute path to (content, mode), with their parents (root's, 0755).

    A mode of 0o120000 makes a symlink whose target is the content. `folders` are made too, path to mode, with `owner`.
    Raises InvalidInput for a path that is not absolute and plain.
    """
    entries: dict[str, Entry] = {}
    for path, mode in (folders or {}).items():
        entries |= {each.path: each for each in _parents(_plain(path)) if each.path not in entries}
        entries[path] = Entry(path, stat.S_IFDIR | mode, *owner)
    for path, (content, mode) in files.items():
        entries |= {each.path: each for each in _parents(_plain(path)) if each.path not in entries}
        if stat.S_ISLNK(mode):
            entries[path] = Entry(path, stat.S_IFLNK | 0o777, *owner, target=os.fsdecode(content))
        else:
            entries[path] = Entry(path, stat.S_IFREG | stat.S_IMODE(mode), *owner, content=content)
    return iter(sorted(entries.values(), key=lambda each: os.fsencode(each.path).split(b"/")))


def whiteouts(removed: list[str]) -> Iterator[Entry]:
    """Entries that hide these absolute paths of the layers below (OCI image spec, layer, "Whiteouts")."""
    for path in sorted(removed):
        parent, _, name = _plain(path).rpartition("/")
        yield Entry(f"{parent}/.wh.{name}", stat.S_IFREG | 0o644, 0, 0)


def _plain(path: str) -> str:
    if not path.startswith("/") or "\0" in path or str(PurePosixPath(path)) != path or ".." in path.split("/"):
        raise InvalidInput(f"'{printable(path)}' is not a plain absolute path")
    return path


def _parents(path: str) -> Iterator[Entry]:
    for parent in reversed(PurePosixPath(path).parents):
        if str(parent) != "/":
            yield Entry(str(parent), stat.S_IFDIR | 0o755, 0, 0)


_KINDS = {
    stat.S_IFSOCK: "a socket",
    stat.S_IFIFO: "a fifo",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
