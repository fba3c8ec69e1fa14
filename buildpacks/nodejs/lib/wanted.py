"""Which Node.js the app asks for. Nothing is looked up here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import manifest
from talk import BAD_SOURCE, Refusal

DEFAULT_MAJOR = 26
"""The newest long-term release line; README.md names it."""
EXACT = re.compile(r"v?(\d+\.\d+\.\d+)")
_RANGE = re.compile(r"[0-9A-Za-z.*xX<>=~^|+ -]{1,120}")
_CODENAMES = {
    "argon": 4,
    "boron": 6,
    "carbon": 8,
    "dubnium": 10,
    "erbium": 12,
    "fermium": 14,
    "gallium": 16,
    "hydrogen": 18,
    "iron": 20,
    "jod": 22,
    "krypton": 24,
    "lithium": 26,
}
_NEWEST = {"node", "stable", "current", "latest"}


@dataclass(frozen=True, slots=True)
class Request:
    """`range`: as npm's semver reads it; `source`: where it stands, "" for nowhere."""

    range: str
    source: str = ""

    @property
    def exact(self) -> str:
        found = EXACT.fullmatch(self.range)
        return found[1] if found else ""


def node(values: dict[str, Any], app: Path, env: Mapping[str, str]) -> Request:
    """Raises Refusal for a text that cannot be a version."""
    for wanted, source in _places(values, app, env):
        if wanted:
            return Request(_range(wanted, source), source)
    return Request(f"{DEFAULT_MAJOR}.x")


def checked(wanted: str, source: str, what: str = "Node.js") -> str:
    """Raises Refusal for a text that no range is written as; semver has the last word."""
    if not _RANGE.fullmatch(wanted) or wanted.startswith("-"):
        raise bad(wanted, source, what)
    return wanted


def bad(wanted: str, source: str, what: str = "Node.js") -> Refusal:
    cause = f"{source} does not name a version of {what}: {wanted[:80]!r}"
    return Refusal(BAD_SOURCE, cause, hint=f"Write a version like {DEFAULT_MAJOR}.x into it.")


def _places(values: dict[str, Any], app: Path, env: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (env.get("BP_NODE_VERSION", "").strip(), "BP_NODE_VERSION"),
        manifest.engine(values, "runtime", "node"),
        (_first_line(app / ".nvmrc"), ".nvmrc"),
        (_first_line(app / ".node-version"), ".node-version"),
    ]


def _first_line(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = (line.partition("#")[0].strip() for line in file.read(4096).split("\n"))
    return next((line for line in lines if line), "")


def _range(wanted: str, source: str) -> str:
    """nvm's names as ranges."""
    name = wanted.lower()
    if name in _NEWEST:
        return "*"
    if name in ("lts", "lts/*"):
        return f"{DEFAULT_MAJOR}.x"
    if name.startswith("lts/"):
        if name[4:] not in _CODENAMES:
            raise bad(wanted, source)
        return f"{_CODENAMES[name[4:]]}.x"
    return checked(wanted, source)
