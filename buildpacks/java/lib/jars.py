"""Jars: what their manifest says, and which Java their main class was made for."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

_MANIFEST = "META-INF/MANIFEST.MF"
_MOST = 1024 * 1024
_FIRST_CLASS_FORMAT = 44  # the class file format of Java 21 is 65 (The Java Virtual Machine Specification, 4.1)


@dataclass(frozen=True, slots=True)
class Runnable:
    """A jar, or a folder that is one unpacked. `java`: the least Java for its main class, 0 when that is not known."""

    path: Path
    main: str
    class_path: tuple[str, ...] = ()
    spring: bool = False
    micronaut: bool = False
    java: int = 0


def runnable(path: Path) -> Runnable | None:
    """None for a file that is no jar, or has no main class."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            fields = _fields(_read(archive, _MANIFEST, _MOST)) if _MANIFEST in names else {}
            main = fields.get("main-class", "")
            if not main:
                return None
            start = fields.get("start-class", main)
            java = 0
            for place in ("", "BOOT-INF/classes/", "WEB-INF/classes/"):
                if (name := f"{place}{start.replace('.', '/')}.class") in names:
                    java = _format(_read(archive, name, 8))
            micronaut = "META-INF/micronaut/" in names or any(name.startswith("META-INF/micronaut/") for name in names)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return None
    return Runnable(path, main, (), _is_spring(fields), micronaut, java)


def unpacked(folder: Path) -> Runnable | None:
    manifest = folder / _MANIFEST
    if not manifest.is_file():
        return None
    fields = _fields(manifest.read_bytes()[:_MOST])
    main = fields.get("main-class", "")
    if not main:
        return None
    java = 0
    for place in ("", "BOOT-INF/classes", "WEB-INF/classes"):
        file = folder / place / f"{fields.get('start-class', main).replace('.', '/')}.class"
        if file.is_file():
            with file.open("rb") as opened:
                java = _format(opened.read(8))
    micronaut = (folder / "META-INF/micronaut").is_dir()
    return Runnable(folder, main, tuple(fields.get("class-path", "").split()), _is_spring(fields), micronaut, java)


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as file:
        return file.read(most)


def _fields(content: bytes) -> dict[str, str]:
    """The main section (JAR File Specification, "JAR Manifest"): a line that starts with a blank goes on the last one."""
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\n ", "")
    pairs = (line.partition(":") for line in text.split("\n\n")[0].split("\n"))
    return {key.strip().lower(): value.strip() for key, sign, value in pairs if sign}


def _format(head: bytes) -> int:
    if head[:4] != b"\xca\xfe\xba\xbe":
        return 0
    return int.from_bytes(head[6:8], "big") - _FIRST_CLASS_FORMAT


def _is_spring(fields: dict[str, str]) -> bool:
    return "spring-boot-version" in fields or fields.get("main-class", "").startswith("org.springframework.boot.loader")
