"""Prints the versions of Python that pyproject.toml, poetry.lock or Pipfile.lock ask for, and where: "WANTED FILE".

Nothing is printed when none does; what cannot be read is left to the tools, which say so.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any


def main() -> None:
    project = _toml("pyproject.toml")
    pipfile = _json("Pipfile.lock")
    found = (
        (_dig(project, "project", "requires-python"), "pyproject.toml"),
        (_plain(_dig(project, "tool", "poetry", "dependencies", "python")), "pyproject.toml"),
        (_dig(pipfile, "_meta", "requires", "python_full_version"), "Pipfile.lock"),
        (_dig(pipfile, "_meta", "requires", "python_version"), "Pipfile.lock"),
    )
    for wanted, file in found:
        if wanted:
            print("".join(wanted.split()), file)
            return


def _toml(name: str) -> object:
    try:
        return tomllib.loads(Path(name).read_text())
    except (OSError, ValueError, RecursionError):
        return {}


def _json(name: str) -> object:
    try:
        return json.loads(Path(name).read_text())
    except (OSError, ValueError, RecursionError):
        return {}


def _dig(values: Any, *names: str) -> str:
    for name in names:
        values = values.get(name) if isinstance(values, dict) else None
    return values if isinstance(values, str) else ""


def _plain(versions: str) -> str:
    """Poetry's ^3.11 and ~3.11 as other tools write it; * is any."""
    return ",".join(_bounds(each.strip()) for each in versions.split(",") if each.strip() != "*")


def _bounds(version: str) -> str:
    match = re.fullmatch(r"([~^])(\d+)((?:\.\d+)*)", version)
    if not match:
        return version
    sign, major, rest = match.groups()
    minor = rest.split(".")[1] if rest else ""
    above = f"{major}.{int(minor) + 1}" if sign == "~" and minor else str(int(major) + 1)
    return f">={major}{rest},<{above}"


if __name__ == "__main__":
    main()
