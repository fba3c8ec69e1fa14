"""What an app's jars bring along, by their names. Where Maven or Gradle fetched a jar to says its group, and the file that
was fetched beside it its licence; a jar that holds others' classes names them in META-INF/maven.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cyclonedx

_PLACES = ("target", "build", "lib", "libs")
_INSIDE = re.compile(r"(?:BOOT-INF/|WEB-INF/)?lib/[^/]+\.jar")
_OWN = re.compile(r"META-INF/maven/([^/]+)/([^/]+)/pom\.properties")
_NAMED = re.compile(r"(?P<name>.+?)-(?P<version>\d[^/]*)\.jar")
_GRADLE = "caches/modules-2/files-2.1"
_LICENCE = re.compile(rb"<license>.*?<name>\s*([^<]{1,100}?)\s*</name>", re.DOTALL)
_MOST_BYTES = 4 * 1024 * 1024
_MOST_JARS = 20_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Coordinates of a jar, and the file that describes it."""

    group: str
    name: str
    version: str
    pom: Path | None


def write(layers: Path, app: Path) -> None:
    origins = {**_of_maven(layers / "repository"), **_of_gradle(layers / "gradle-home" / _GRADLE)}
    cyclonedx.write(layers / "launch", _components(app, origins))


def runtime(layer: Path, version: str) -> None:
    """Of the Java that a layer has."""
    licences = ["GPL-2.0-only WITH Classpath-exception-2.0"]
    cyclonedx.write(layer, [cyclonedx.component("generic", "openjdk", version, licences=licences, is_a="platform")])


def _components(app: Path, origins: Mapping[str, Origin]) -> Iterator[cyclonedx.Component]:
    for jar in _jars(app):
        yield from _of_jar(jar.name, origins)
        try:
            with zipfile.ZipFile(jar) as archive:
                names = archive.namelist()
                for name in filter(_INSIDE.fullmatch, names):
                    yield from _of_jar(name.rpartition("/")[2], origins)
                for own in filter(None, map(_OWN.fullmatch, names)):
                    yield from _of_properties(archive.read(own[0])[:_MOST_BYTES], own[1], own[2])
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
            continue


def _jars(app: Path) -> list[Path]:
    """Of the app: those of its own folder, and of the folders that builds make."""
    found = [*app.glob("*.jar"), *app.glob("*.war")]
    for place in (*_PLACES, *(f"*/{each}" for each in _PLACES)):
        for folder in app.glob(place):
            for where, folders, files in os.walk(folder):
                folders[:] = [each for each in folders if each not in ("classes", "tmp", "test-classes")]
                found += [Path(where, each) for each in files if each.endswith((".jar", ".war"))]
    return sorted(each for each in set(found) if not each.is_symlink())[:_MOST_JARS]


def _of_jar(file: str, origins: Mapping[str, Origin]) -> Iterator[cyclonedx.Component]:
    """One that nobody fetched is the app's own, or lay in its repository: known by name, if its name has a version."""
    if origin := origins.get(file):
        yield _component(origin.group, origin.name, origin.version, _licences(origin.pom))
    elif (named := _NAMED.fullmatch(file)) and not origins:
        yield cyclonedx.component("", named["name"], named["version"])


def _component(group: str, name: str, version: str, licences: list[str]) -> cyclonedx.Component:
    return cyclonedx.component("maven", name, version, group=group, licences=licences)


def _of_properties(content: bytes, group: str, name: str) -> Iterator[cyclonedx.Component]:
    version = re.search(rb"^version=(\S+)", content, re.MULTILINE)
    if version:
        yield _component(group, name, version[1].decode("utf-8", "replace"), [])


def _of_maven(repository: Path) -> dict[str, Origin]:
    """By file name: GROUP/AS/FOLDERS/NAME/VERSION/NAME-VERSION.jar."""
    found = {}
    for where, _, files in os.walk(repository):
        for file in files:
            if file.endswith(".jar"):
                *group, name, version = Path(where).relative_to(repository).parts
                pom = Path(where, f"{name}-{version}.pom")
                found[file] = Origin(".".join(group), name, version, pom)
    return found


def _of_gradle(cache: Path) -> dict[str, Origin]:
    """By file name: GROUP/NAME/VERSION/DIGEST/FILE."""
    found = {}
    for jar in cache.glob("*/*/*/*/*.jar"):
        group, name, version = jar.relative_to(cache).parts[:3]
        pom = next(jar.parents[1].glob("*/*.pom"), None)
        found[jar.name] = Origin(group, name, version, pom)
    return found


def _licences(pom: Path | None) -> list[str]:
    if pom is None or not pom.is_file():
        return []
    with pom.open("rb") as opened:
        return [each.decode("utf-8", "replace") for each in _LICENCE.findall(opened.read(_MOST_BYTES))]
