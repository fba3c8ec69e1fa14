"""Volumes: folders of a process type that outlive its processes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?")
_PATH = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){1,10}")
_NOT_THERE = ("/", "/bin", "/cnb", "/dev", "/etc", "/layers", "/lib", "/proc", "/sbin", "/sys", "/usr", "/workspace")
MOST_MIB = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Volume:
    """`path`: where the processes have it; `mib`: its size. One process at a time can have it."""

    name: str
    path: str
    mib: int


def volume(name: str, path: str, mib: int) -> Volume:
    """Raises InvalidInput with every fault."""
    problems = []
    if not _NAME.fullmatch(name):
        problems.append(
            f"'{printable(name, 60)}' is not a name for a volume: lower-case letters, digits and dashes, 30 at most"
        )
    if not _PATH.fullmatch(path) or path in _NOT_THERE:
        problems.append(f"'{printable(path, 60)}' is not a folder that can be a volume: for example /data")
    if not 1 <= mib <= MOST_MIB:
        problems.append("a volume has 1 MiB to 16 TiB")
    if problems:
        raise InvalidInput("nothing was changed", problems=problems)
    return Volume(name, path, mib)
