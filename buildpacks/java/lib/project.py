"""What kind of app lies here."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import jars

GRADLE_FILES = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
MAVEN_WRAPPER = Path(".mvn/wrapper/maven-wrapper.properties")
GRADLE_WRAPPER = Path("gradle/wrapper/gradle-wrapper.properties")
LOOKS_FOR = "looks for pom.xml, build.gradle with a Gradle wrapper, or a jar that can be run"
_OTHER_LANGUAGES = (
    *("requirements.txt", "pyproject.toml", "uv.lock", "package.json", "go.mod", "Cargo.toml"),
    *("composer.json", "Gemfile"),
)
"""Apps in these languages may bring a jar as a tool."""


class Kind(StrEnum):
    MAVEN = "Maven"
    GRADLE = "Gradle"
    JAR = "jar"


def kind_of(app: Path) -> Kind | None:
    """None when it is not for this buildpack."""
    if (app / "pom.xml").is_file():
        return Kind.MAVEN
    if any((app / name).is_file() for name in GRADLE_FILES):
        return Kind.GRADLE if (app / GRADLE_WRAPPER).is_file() else None
    if any((app / name).exists() for name in _OTHER_LANGUAGES):
        return None
    return Kind.JAR if ready_jar(app) else None


def ready_jar(app: Path) -> jars.Runnable | None:
    """The app itself when it is an unpacked jar with a main class, or its only jar that has one."""
    if unpacked := jars.unpacked(app):
        return unpacked
    found = [each for each in map(jars.runnable, sorted(app.glob("*.jar"))) if each]
    return found[0] if len(found) == 1 else None


def text_of(file: Path) -> str:
    """ "" when there is no such file."""
    return file.read_text("utf-8-sig", "replace").replace("\r\n", "\n") if file.is_file() else ""


def properties(file: Path) -> dict[str, str]:
    """A file of Java properties, of its grammar what people write in such files."""
    found = {}
    for line in text_of(file).split("\n"):
        if match := re.fullmatch(r"\s*([^#!\s=:][^\s=:]*)\s*[=:]\s*(.*?)\s*", line):
            found[match[1]] = re.sub(r"\\(.)", r"\1", match[2])
    return found
