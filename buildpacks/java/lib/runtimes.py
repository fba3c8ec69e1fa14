"""Java where it lies: the distribution's packages are unpacked below another prefix, and no link in a bin folder is made."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import versions
from talk import FAILED, Refusal


@dataclass(frozen=True, slots=True)
class Java:
    home: Path
    version: str

    @property
    def compiles(self) -> bool:
        return (self.home / "bin/javac").exists()


def found() -> list[Java]:
    """Beside the folders of PATH (…/usr/bin has …/usr/lib/jvm), the newest first."""
    homes: dict[Path, None] = {}
    for folder in os.environ.get("PATH", "").split(":"):
        if folder:
            homes |= dict.fromkeys(each.resolve() for each in sorted(Path(folder, "../lib/jvm").resolve().glob("*")))
    javas = [Java(home, _version(home)) for home in homes if (home / "lib/modules").is_file()]
    return sorted((each for each in javas if each.version), key=lambda each: _number(each.version), reverse=True)


def compiler(wanted: versions.Wanted) -> Java:
    """Raises Refusal."""
    return _fitting([each for each in found() if each.compiles], wanted)


def runtime(wanted: versions.Wanted) -> Java:
    """The one that comes into the image: it has no compiler. Raises Refusal."""
    javas = found()
    return _fitting([each for each in javas if not each.compiles] or javas, wanted)


def _fitting(javas: list[Java], wanted: versions.Wanted) -> Java:
    if not javas:
        raise Refusal(FAILED, "there is no Java in this build; the buildpack wherry/apt brings it")
    for each in javas:
        if wanted.met_by(each.version):
            return each
    raise versions.refusal(wanted, ", ".join(dict.fromkeys(each.version for each in javas)))


def _version(home: Path) -> str:
    try:
        text = (home / "release").read_text("utf-8", "replace")
    except OSError:
        return ""
    match = re.search(r'^JAVA_VERSION="([0-9]+(?:\.[0-9]+)*)', text, re.MULTILINE)
    return match[1] if match else ""


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
