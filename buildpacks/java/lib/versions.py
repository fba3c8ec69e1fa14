"""Which Java an app wants, and whether a Java is that one. Never another one in silence."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import project
from project import Kind
from talk import BAD_SOURCE, NOT_AVAILABLE, Refusal

_VERSION = re.compile(r"(?:[a-z][a-z0-9-]*-)?(1\.)?([0-9]{1,3}(?:\.[0-9]+){0,3})(?:[._+-][A-Za-z0-9.+-]*)?")
_DEFAULT_HAS = 17
"""Every distribution that we build on has at least this as its default Java."""
_GRADLE_TOOLCHAIN = re.compile(r"JavaLanguageVersion\.of\(\s*[\"']?([0-9]+)|jvmToolchain\(\s*([0-9]+)")
_GRADLE_LEAST = re.compile(
    r"(?:(?:source|target)Compatibility\s*(?:=|\()?\s*|options\.release(?:\.set\(|\s*=)\s*)"
    r"(?:JavaVersion\.VERSION_)?[\"']?(1[._])?([0-9]+)"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`version`: "17" or "17.0.5", "" for any; `least`: any from `version` on. `asked`: the file or variable that says so."""

    version: str = ""
    least: bool = False
    asked: str = ""

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0]) if self.version else 0

    @property
    def named(self) -> int:
        """The one to ask the distribution for by its number; 0 for its default."""
        return 0 if self.least and self.major <= _DEFAULT_HAS else self.major

    def met_by(self, version: str) -> bool:
        have, want = version.split("."), self.version.split(".")
        return not self.version or (int(have[0]) >= self.major if self.least else have[: len(want)] == want)


def wanted(app: Path, kind: Kind) -> Wanted:
    """Raises Refusal for what is no version."""
    if given := os.environ.get("BP_JVM_VERSION", "").strip():
        return _exact(given.removesuffix(".*"), "BP_JVM_VERSION")
    if given := project.properties(app / "system.properties").get("java.runtime.version", ""):
        return _exact(given, "system.properties")
    lines = project.text_of(app / ".java-version").split()
    if lines:
        return _exact(lines[0], ".java-version")
    if kind is Kind.MAVEN:
        return _of_pom(app / "pom.xml")
    if kind is Kind.GRADLE:
        return _of_gradle(app)
    jar = project.ready_jar(app)
    return Wanted(str(jar.java), True, f"{jar.path.name}: its classes") if jar and jar.java > 0 else Wanted()


def refusal(wanted: Wanted, have: str) -> Refusal:
    line = f"Java {wanted.version} is not available here: have {have}"
    return Refusal(NOT_AVAILABLE, line, f"{wanted.asked} asks for it", "", hint(have.split(".")[0]))


def hint(have: str) -> str:
    return f"Ask for {have} there, or type: wherry config:set BP_JVM_VERSION={have}"


def _exact(text: str, asked: str) -> Wanted:
    match = _VERSION.fullmatch(text)
    if not match:
        raise Refusal(
            BAD_SOURCE, f"{asked} does not name a version of Java: {text[:60]!a}", "", "Write a version like 17."
        )
    return Wanted(match[2], False, asked)


def _of_pom(pom: Path) -> Wanted:
    """A toolchain is that one; what the compiler is told is the least. A pom that is no XML is Maven's to tell."""
    try:
        root = ElementTree.fromstring(pom.read_bytes())  # noqa: S314 - the app's own, in its own build
    except (ElementTree.ParseError, ValueError, LookupError):
        return Wanted()
    for each in root.iter():
        each.tag = str(each.tag).rpartition("}")[2]
    values = {each.tag: (each.text or "").strip() for each in root.iterfind("properties/*")}
    for plugin in root.iterfind("build//plugin"):
        name = plugin.findtext("artifactId", "").strip()
        if name == "maven-toolchains-plugin":
            version = _filled(plugin.findtext(".//jdk/version", ""), values)
            if version and _VERSION.fullmatch(version):
                return _exact(version, "pom.xml (toolchain)")
    told = [values.get(name, "") for name in ("maven.compiler.release", "maven.compiler.target", "java.version")]
    for plugin in root.iterfind("build//plugin"):
        if plugin.findtext("artifactId", "").strip() == "maven-compiler-plugin":
            told = [plugin.findtext(f".//{name}", "") for name in ("release", "target", "source")] + told
    return _least([_filled(text, values) for text in told], "pom.xml")


def _of_gradle(app: Path) -> Wanted:
    text = "\n".join(project.text_of(app / name) for name in project.GRADLE_FILES)
    text = re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", text, flags=re.DOTALL)
    if match := _GRADLE_TOOLCHAIN.search(text):
        return Wanted(match[1] or match[2], False, "build.gradle (toolchain)")
    return _least([match[2] for match in _GRADLE_LEAST.finditer(text)], "build.gradle")


def _least(texts: list[str], asked: str) -> Wanted:
    for text in texts:
        match = _VERSION.fullmatch(text)
        if match:
            return Wanted(match[2].split(".")[0], True, asked)
    return Wanted()


def _filled(text: str, values: dict[str, str]) -> str:
    match = re.fullmatch(r"\$\{([^}]+)\}", text.strip())
    return values.get(match[1], "") if match else text.strip()
