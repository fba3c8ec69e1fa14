"""Reads below a folder that untrusted code wrote into. No component is followed when it is a link, so nothing outside
the folder can be reached, whatever is changed in it meanwhile.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read(root: Path, relative: str, most: int) -> bytes | None:
    """The bytes of a regular file; None when there is no such file.

    Raises InvalidInput when it, or a folder on the way to it, is something else (a link, a fifo), or has more than
    `most` bytes.
    """
    parent, _, name = relative.rpartition("/")
    with _open(root, parent, relative) as folder:
        if folder is None:
            return None
        return _read(folder, name, relative, most)


def names(root: Path, relative: str, most: int = 10_000) -> list[str]:
    """The names in a folder, sorted by their bytes; empty when there is no such folder. Raises InvalidInput as `read`."""
    with _open(root, relative, relative) as folder:
        found = [] if folder is None else os.listdir(folder)  # noqa: PTH208 - a descriptor, not a path
    if len(found) > most:
        raise InvalidInput(f"{printable(relative)} has {len(found)} entries; the most is {most}")
    return sorted(found, key=os.fsencode)


def mode(root: Path, relative: str) -> int:
    """The type and permissions of an entry itself, never of what it links to; 0 when there is none."""
    parent, _, name = relative.rpartition("/")
    with _open(root, parent, relative) as folder:
        if folder is None:
            return 0
        try:
            return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return 0


@contextmanager
def _open(root: Path, relative: str, shown: str) -> Iterator[int | None]:
    descriptor = os.open(root, _FOLDER)
    try:
        for name in relative.split("/") if relative else ():
            below = _folder(descriptor, name, shown)
            if below is None:
                yield None
                return
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _folder(parent: int, name: str, shown: str) -> int | None:
    try:
        return os.open(_plain(name, shown), _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        return None
    except OSError as error:  # ELOOP or ENOTDIR: a link, or no folder
        raise InvalidInput(f"{printable(shown)}: {printable(name)} is not a folder") from error


def _read(folder: int, name: str, shown: str, most: int) -> bytes | None:
    try:
        descriptor = os.open(_plain(name, shown), _FILE, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput(f"{printable(shown)} is not a regular file") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidInput(f"{printable(shown)} is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise InvalidInput(f"{printable(shown)} is longer than {most} bytes")
    return content


def _plain(name: str, shown: str) -> str:
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise InvalidInput(f"{printable(shown)} is not a path below its folder")
    return name
