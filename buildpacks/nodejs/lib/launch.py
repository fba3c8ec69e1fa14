"""The web process of an app without a Procfile, where there is no doubt."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import manifest
from talk import detail

_OTHER_SCRIPT = re.compile(r"(?:npm|pnpm|yarn|bun)(?: run| run-script)? ([A-Za-z0-9:._-]+)")
_COMMANDS = {"install", "exec", "dlx", "run", "ci", "node", "x"}
_PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_BUILT = ("dist", "build", "out", "www")
_FILE = re.compile(r"[A-Za-z0-9_./@+-]+")


def write(values: dict[str, Any], app: Path, layers: Path, runner: str) -> None:
    if (app / "Procfile").exists() or (app / "Procfile").is_symlink():
        return
    command = web(values, app, runner)
    if not command:
        detail("No web process: package.json has no start script, and there is no server.js")
        page = next((name for name in _BUILT if (app / name / "index.html").is_file()), "")
        if page and not (app / "static.json").exists():
            detail(f"Are the files in {page}/ the app? To serve them, commit a static.json with the line")
            detail(f'{{ "root": "{page}", "routes": {{ "/**": "index.html" }} }}')
            detail("and type: wherry buildpacks:set wherry/nodejs && wherry buildpacks:add wherry/static")
        return
    words = ", ".join(
        json.dumps(word, ensure_ascii=False).replace("\x7f", "\\u007f") for word in ("bash", "-c", command)
    )
    (layers / "launch.toml").write_text(f'[[processes]]\ntype = "web"\ncommand = [{words}]\ndefault = true\n')
    detail(f"No Procfile: the web process is {' '.join(command.split())[:200]}")
    if program := _of_devdependencies(command, layers):
        detail(f"Warning: {program} comes from devDependencies, which are gone when the app runs.")
        detail("If it is to run there, move its package to the dependencies in package.json")


def web(values: dict[str, Any], app: Path, runner: str) -> str:
    """A line for bash, whose last command takes bash's place and so gets the signals; "" for none.

    `runner`: the program for files (node, bun). package.json's start script itself, not a package manager that runs it.
    """
    scripts = manifest.scripts(values)
    if "start" in scripts:
        return _lines_of("start", scripts)
    for name in ("server.js", manifest.text(values, "main").removeprefix("./"), "index.js"):
        if _FILE.fullmatch(name) and ".." not in name and (app / name).is_file():
            return f"{runner} {name}"
    return ""


def _of_devdependencies(command: str, layers: Path) -> str:
    """The program that the command starts, when only scripts have it (ng, vite, tsx); else ""."""
    words = [word for word in command.split("\n")[-1].split() if "=" not in word]
    program = words[0] if words and _PROGRAM.fullmatch(words[0]) else ""
    mine, theirs = (
        os.path.lexists(layers / layer / ".bin" / program)
        for layer in ("modules/node_modules", "dev-modules/node_modules")
    )
    return program if program and theirs and not mine else ""


def _lines_of(name: str, scripts: dict[str, str]) -> str:
    lines = []
    seen = set()
    while name not in seen:
        seen.add(name)
        if before := scripts.get(f"pre{name}"):
            lines.append(f"({before}) || exit $?")
        other = _OTHER_SCRIPT.fullmatch(scripts[name].strip())
        if not other or other[1] not in scripts or other[1] in _COMMANDS or f"post{name}" in scripts:
            break
        name = other[1]
    return "\n".join([*lines, scripts[name].strip()])
