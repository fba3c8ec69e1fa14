"""What go.mod says, as far as it counts before there is a Go to read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_HEROKU = re.compile(r"^//\s*\+heroku\s+(goVersion|install)\s+(.*?)\s*$", re.MULTILINE)
_LINE = re.compile(r"^[ \t]*(module|go|toolchain)[ \t]+(\"[^\"]*\"|`[^`]*`|[^\s/(]\S*)[ \t]*(?://.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Module:
    """Each "" when it is not there. `wanted` and `install`: Heroku's remarks `// +heroku goVersion`, `install`."""

    path: str = ""
    go: str = ""
    toolchain: str = ""
    wanted: str = ""
    install: str = ""

    @property
    def name(self) -> str:
        """The last word of its path, without a major version: what `go build` names its program."""
        words = [word for word in self.path.split("/") if word]
        if len(words) > 1 and re.fullmatch(r"v[0-9]+", words[-1]):
            words.pop()
        return words[-1] if words else ""


def read(app: Path) -> Module:
    """go.mod, and go.work's go and toolchain lines, which then count instead."""
    text = _text(app / "go.mod")
    lines = _lines(text) | {key: value for key, value in _lines(_text(app / "go.work")).items() if key != "module"}
    remarks = dict(_HEROKU.findall(text))
    return Module(
        lines.get("module", ""),
        lines.get("go", ""),
        lines.get("toolchain", ""),
        remarks.get("goVersion", ""),
        remarks.get("install", ""),
    )


def _lines(text: str) -> dict[str, str]:
    return {key: value.strip('"`') for key, value in _LINE.findall(text)}


def _text(file: Path) -> str:
    return file.read_text("utf-8-sig", "replace").replace("\r\n", "\n") if file.is_file() else ""
