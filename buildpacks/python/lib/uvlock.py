"""Whether uv.lock was made for the dependencies of this pyproject.toml, told without the index that it names."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any


def main() -> int:
    try:
        project = tomllib.loads(Path("pyproject.toml").read_text()).get("project", {})
        lock = tomllib.loads(Path("uv.lock").read_text())
        wanted, locked = _wanted(project), _locked(lock, project.get("name", ""))
    except (ValueError, AttributeError, TypeError):
        return 0  # uv itself says what cannot be read, and where
    if locked is None or wanted == locked:
        return 0
    print(" !     uv.lock is out of step with pyproject.toml")
    for name in sorted(wanted ^ locked):
        print(f" !     {name} stands in {'pyproject.toml' if name in wanted else 'uv.lock'} only")
    print(" !     \n !     Try: uv lock && git add uv.lock")
    return 1


def _wanted(project: dict[str, Any]) -> set[str]:
    more = project.get("optional-dependencies", {}).values()
    return {_name(each) for each in [*project.get("dependencies", []), *(one for some in more for one in some)]}


def _locked(lock: dict[str, Any], name: str) -> set[str] | None:
    """None when the lock holds no such project."""
    for package in lock.get("package", []):
        source = package.get("source", {})
        if package.get("name") == _normal(name) and "." in (source.get("editable"), source.get("virtual")):
            return {each["name"] for each in package.get("metadata", {}).get("requires-dist", [])}
    return None


def _name(requirement: str) -> str:
    return _normal((re.match(r"\s*([A-Za-z0-9._-]+)", requirement) or ["", ""])[1])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
