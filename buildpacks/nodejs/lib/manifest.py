"""package.json, and the lock files beside it: what the app says about itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from talk import BAD_SOURCE, Refusal

LOCKS = {
    "npm-shrinkwrap.json": "npm",
    "package-lock.json": "npm",
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
}
"""The stronger one first, where one package manager has two."""
_MOST_BYTES = 8 * 1024 * 1024


def read(path: Path) -> dict[str, Any]:
    """Raises Refusal, with the line, for what is no JSON object."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
        found = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        said = error.doc.split("\n")[error.lineno - 1].strip()[:100]
        raise Refusal(
            BAD_SOURCE,
            f"{path} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}",
            [f"{error.lineno}: {said}"],
            f"Check it with: python3 -m json.tool {path}",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise Refusal(BAD_SOURCE, f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not isinstance(found, dict):
        raise Refusal(BAD_SOURCE, f"{path} is not a JSON object")
    return found


def table(values: dict[str, Any], key: str) -> dict[str, Any]:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def text(values: dict[str, Any], key: str) -> str:
    found = values.get(key)
    return found.strip() if isinstance(found, str) else ""


def scripts(values: dict[str, Any]) -> dict[str, str]:
    """Those that do anything."""
    return {name: each for name, each in table(values, "scripts").items() if isinstance(each, str) and each.strip()}


def engine(values: dict[str, Any], kind: str, name: str) -> tuple[str, str]:
    """What engines, else devEngines (`kind`: runtime or packageManager), asks of `name`, and where it stands."""
    if wanted := text(table(values, "engines"), name):
        return wanted, f"engines.{name} in package.json"
    found = table(values, "devEngines").get(kind)
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, dict) and each.get("name") == name and (wanted := text(each, "version")):
            return wanted, f"devEngines.{kind} in package.json"
    return "", ""


def lock_of(app: Path) -> str:
    """The lock file, "" for none. Raises Refusal when two package managers have one."""
    found = [name for name in LOCKS if (app / name).is_file()]
    managers = list(dict.fromkeys(LOCKS[name] for name in found))
    if len(managers) > 1:
        names = [next(name for name in found if LOCKS[name] == manager) for manager in managers]
        listed = " and ".join([", ".join(names[:-1]), names[-1]])
        raise Refusal(
            BAD_SOURCE,
            f"{listed} are lock files of different package managers: one only can count",
            [f"{name} is {LOCKS[name]}'s" for name in names],
            f"Keep the one that you use and remove the other, for example: git rm {names[0]}",
        )
    return found[0] if found else ""
