"""What the installed packages depend on: another key means that others may have to be installed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import manifest
from registry import digest_of
from store import key_of
from talk import Refusal

LIFECYCLE = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare")
COMPILE = "node-gyp rebuild"
_FILES = (
    *manifest.LOCKS,
    *(".npmrc", ".yarnrc", ".yarnrc.yml", ".yarnrc.yaml", "bunfig.toml", "pnpm-workspace.yaml", ".pnpmfile.cjs"),
    *(".pnpmfile.mjs", "pnpmfile.js", "binding.gyp", "prisma/schema.prisma", "schema.prisma", "Aptfile"),
)
_FOLDERS = ("patches", ".yarn/patches", ".yarn/plugins", ".yarn/releases", "prisma")
_SETTINGS = re.compile(
    r"(?i)(npm_config|pnpm_config|yarn|bun|bp_node|prisma|puppeteer|cypress|playwright|sharp|node_env)(_.*)?"
)
_LOCAL = re.compile(r"(?:file|portal|link):(.+)")
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies")


class Packages:
    """The package.json of the app, and those of its workspaces by their folder ("" is the app's own)."""

    def __init__(self, app: Path, values: dict[str, Any]) -> None:
        self._app = app
        self.own = values
        self.workspaces = _has_workspaces(app, values)
        self.all = {"": values} | (dict(_manifests(app)) if self.workspaces else {})

    def has(self, kind: str) -> bool:
        return any(manifest.table(values, kind) for values in self.all.values())

    def lifecycle(self) -> list[tuple[str, str]]:
        """Scripts that an installation runs: (folder, name). COMPILE stands for what npm does without a word on it."""
        found = []
        for folder, each in self.all.items():
            own = manifest.scripts(each)
            if (self._app / folder / "binding.gyp").is_file() and not {"install", "preinstall"}.intersection(own):
                found.append((folder, COMPILE))
            found += [(folder, name) for name in LIFECYCLE if name in own]
        return found

    def key(self, env: Mapping[str, str], *more: object) -> str:
        settings = {name: value for name, value in env.items() if _SETTINGS.fullmatch(name)}
        system = [env.get(name, "") for name in ("CNB_STACK_ID", "CNB_TARGET_DISTRO_NAME", "CNB_TARGET_DISTRO_VERSION")]
        files = {name: digest_of(self._app / name, "sha256") for name in self._files()}
        manifests = {folder: _what_counts(values) for folder, values in self.all.items()}
        return key_of("modules 1", manifests, files, settings, system, *more)

    def _files(self) -> Iterator[str]:
        for name in _FILES:
            if (self._app / name).is_file():
                yield name
        for folder in (*_FOLDERS, *self._local()):
            path = self._app / folder
            if path.is_file():
                yield folder
            for inside, folders, names in os.walk(path):
                folders[:] = sorted(each for each in folders if each not in ("node_modules", ".git"))
                for name in sorted(names):
                    file = Path(inside, name)
                    if file.is_file():
                        yield str(file.relative_to(self._app))

    def _local(self) -> Iterator[str]:
        """Folders and archives of the app that it asks for as packages; a folder without a workspace may be copied."""
        for folder, values in self.all.items():
            for kind in _DEPENDENCIES:
                for wanted in manifest.table(values, kind).values():
                    found = _LOCAL.fullmatch(wanted) if isinstance(wanted, str) else None
                    if found:
                        path = os.path.normpath(Path(folder, found[1]))
                        if path != "." and not path.startswith(("..", "/")):
                            yield path


def _has_workspaces(app: Path, values: dict[str, Any]) -> bool:
    if values.get("workspaces"):
        return True
    file = app / "pnpm-workspace.yaml"
    return file.is_file() and re.search(r"^packages:", file.read_text("utf-8", "replace"), re.MULTILINE) is not None


def _manifests(app: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for folder, folders, names in os.walk(app):
        folders[:] = sorted(each for each in folders if each not in ("node_modules", ".git", ".yarn"))
        if folder != str(app) and "package.json" in names:
            path = Path(folder, "package.json").relative_to(app)
            try:
                yield str(path.parent), manifest.read(app / path)
            except Refusal:  # a sample of some test; the package manager refuses it, where it is a workspace
                yield str(path.parent), {}


def _what_counts(values: dict[str, Any]) -> dict[str, Any]:
    """All but scripts that no installation runs."""
    lifecycle = {name: text for name, text in manifest.scripts(values).items() if name in LIFECYCLE}
    return {**values, "scripts": lifecycle}
