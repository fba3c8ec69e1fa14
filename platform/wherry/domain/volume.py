"""Volumes: folders of a process type that outlive its processes (app.json, `volumes`): ``{TYPE: [{name, path, size_mb}]}``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wherry.domain.reading import Reading

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?")
_PATH = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){1,10}")
_NOT_THERE = {"bin", "cnb", "dev", "etc", "layers", "lib", "lib64", "proc", "sbin", "sys", "usr"}
_WHOLE = ("/workspace", "/tmp", "/home", "/run", "/var")  # noqa: S108 - names, not files of ours
_MOST_MIB = 16 * 1024 * 1024
_MOST = 10
ONE_AT_A_TIME = "it has a volume, which one process at a time has"


@dataclass(frozen=True, slots=True)
class Volume:
    """`path`: where the processes have it; `mib`: its size. One process at a time can have it."""

    name: str
    path: str
    mib: int


def read(reading: Reading, value: object, where: str) -> tuple[Volume, ...]:
    found = [
        _volume(reading, each, f"{where}[{place}]") for place, each in enumerate(reading.items(value, where, _MOST))
    ]
    for what, taken in (("name", [each.name for each in found]), ("path", [each.path for each in found])):
        if len(set(taken)) != len(taken):
            reading.fault(where, f"a {what} stands twice")
    return tuple(found)


def write(volume: Volume) -> dict[str, object]:
    """What `read` reads again."""
    return {"name": volume.name, "path": volume.path, "size_mb": volume.mib}


def _volume(reading: Reading, value: object, where: str) -> Volume:
    found = reading.mapping(value, where)
    reading.only(found, frozenset({"name", "path", "size_mb"}), where)
    name = reading.text(found.get("name"), f"{where}.name", 30) or ""
    path = reading.text(found.get("path"), f"{where}.path") or ""
    mib = reading.whole(found.get("size_mb"), f"{where}.size_mb", 1, _MOST_MIB)
    if not _NAME.fullmatch(name):
        reading.fault(f"{where}.name", "must be lower-case letters, digits and dashes, a letter first, 30 at most")
    if not _PATH.fullmatch(path) or path in _WHOLE or path.split("/")[1] in _NOT_THERE:
        reading.fault(f"{where}.path", "must be a folder that is not the system's or the app's own, such as /data")
    if mib is None:
        reading.fault(f"{where}.size_mb", "must be there: 1 to 16777216")
    return Volume(name, path, mib or 1)
