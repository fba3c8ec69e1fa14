"""Composer: what composer.lock says, in a layer; the app's vendor folder is a link to it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import bill
import cyclonedx
import failures
import keep
from interpreter import Php
from manifest import Manifest
from talk import BAD_SOURCE, FAILED, Refusal, detail, step

_DECLARED = re.compile(
    rb"^[ \t]*(?:namespace|(?:(?:abstract|final|readonly)\s+)*(?:class|interface|trait|enum))\s+[\w\\]+", re.M
)
_INSTALL = (
    "install",
    "--no-dev",
    "--optimize-autoloader",
    "--no-interaction",
    "--no-progress",
    "--prefer-dist",
    "--no-ansi",
)


class Composer:
    """Two digests decide what is to be done: of what is to be installed, and of which classes the app's own files have,
    for an optimized autoloader lists them.
    """

    def __init__(self, layers: Path, php: Php, manifest: Manifest) -> None:
        self._vendor, self._cache = layers / "vendor", layers / "cache"
        self._php, self._manifest = php, manifest
        self._program = shutil.which("composer")
        os.environ["COMPOSER_VENDOR_DIR"] = str(self._vendor)
        os.environ["COMPOSER_CACHE_DIR"] = str(self._cache)
        os.environ["COMPOSER_HOME"] = str(self._cache / "home")
        system = (os.environ.get("CNB_STACK_ID"), os.environ.get("CNB_TARGET_DISTRO_VERSION"), os.uname().machine)
        self._key = repr(("1", _digest("composer.json", "composer.lock"), php.version, manifest.extensions, system))
        self._classes = _classes(manifest.autoload)

    def install(self) -> None:
        """Raises Refusal."""
        if not self._manifest.locked and self._manifest.requires:
            raise Refusal(
                BAD_SOURCE,
                "there is no composer.lock",
                "",
                "Write it and commit it. Try: composer update && git add composer.lock",
            )
        if not self._manifest.locked:
            return
        if self._program is None:
            raise Refusal(FAILED, "there is no Composer in this build; the buildpack wherry/apt brings it")
        known = self._known()
        same = known.get("key") == self._key and (self._vendor / "autoload.php").is_file()
        self._link()
        if same and known.get("classes") == self._classes and not self._manifest.runs_at_install:
            detail("composer.lock has not changed: its packages are used again")
        elif same and not self._manifest.runs_at_install:
            step("Classes have changed: writing the autoloader anew")
            self._run("dump-autoload", "--no-dev", "--optimize", "--no-interaction", "--no-ansi")
        else:
            step("Installing composer.lock with Composer")
            self._check()
            self._run(*_INSTALL)
            cyclonedx.file_of(self._vendor).unlink(missing_ok=True)
        if not cyclonedx.file_of(self._vendor).is_file():
            bill.write(self._vendor)
        if self._manifest.scripts.get("compile"):
            step("Running the script compile of composer.json")
            self._run("run-script", "--no-dev", "--no-interaction", "--no-ansi", "compile")

    def keep(self) -> None:
        if not self._manifest.locked:
            return
        env = self._vendor / "env"
        env.mkdir(exist_ok=True)
        keep.write(env / "PATH.append", str(self._vendor / "bin"))
        keep.write(env / "PATH.delim", ":")
        metadata = f"key = {json.dumps(self._key)}\nclasses = {json.dumps(self._classes)}"
        self._vendor.with_name("vendor.toml").write_text(
            f"[types]\nlaunch = true\nbuild = true\ncache = true\n\n[metadata]\n{metadata}\n"
        )

    def keep_downloads(self) -> None:
        """Also those of a build that fails."""
        if self._manifest.locked and self._cache.is_dir():
            self._cache.with_name("cache.toml").write_text("[types]\ncache = true\n")

    def _link(self) -> None:
        """From the app's vendor folder, of which a committed one is not used."""
        self._vendor.mkdir(exist_ok=True)
        there = Path("vendor")
        if there.is_symlink():
            there.unlink()
        elif there.exists():
            detail("The app's own vendor folder gives way to what composer.lock says")
            shutil.rmtree(there)
        there.symlink_to(self._vendor)

    def _check(self) -> None:
        """Composer only warns of a lock that does not match. Raises Refusal."""
        code, said = self._composer("validate", "--no-check-all", "--no-check-publish", "--no-interaction", "--no-ansi")
        if code and any("lock file is not up to date" in line for line in said):
            raise Refusal(
                BAD_SOURCE,
                "composer.lock does not match composer.json",
                *[line.removeprefix("- ") for line in said if line.startswith("- Required ")][:8],
                "",
                "Write it anew and commit it. Try: composer update --lock && git add composer.lock",
            )
        if code and any("is invalid" in line for line in said):
            raise Refusal(BAD_SOURCE, "composer.json is not valid", *said[:12], "", "Try: composer validate")

    def _run(self, *words: str) -> None:
        code, said = self._composer(*words, show=True)
        if code:
            raise failures.refusal(said)

    def _composer(self, *words: str, show: bool = False) -> tuple[int, list[str]]:
        """Its exit code and its lines, which are printed as they come until they tell of an error."""
        assert self._program
        argv = [str(self._php.program), *self._for_builds(), self._program, *words]
        env = {**os.environ, "PHP_MEMORY_LIMIT": "-1", "COMPOSER_NO_AUDIT": "1"}
        stdout, errors = subprocess.PIPE, subprocess.STDOUT
        said = []
        with subprocess.Popen(argv, env=env, stdout=stdout, stderr=errors, text=True, errors="replace") as running:
            assert running.stdout
            for line in running.stdout:
                said.append(line.rstrip("\n"))
                if show and line.strip() and not failures.begins(said):
                    detail(said[-1])
        return running.returncode, said

    def _for_builds(self) -> list[str]:
        """The distribution's Composer tells of its errors by the extension intl, which the app may not have."""
        if self._program is None or "intl" in self._manifest.extensions:
            return []
        found = sorted(Path(self._program).resolve().parents[1].glob("lib/php/[0-9]*/intl.so"))
        return ["-d", f"extension={found[-1]}"] if found else []

    def _known(self) -> dict[str, str]:
        try:
            content = tomllib.loads(self._vendor.with_name("vendor.toml").read_text())
        except (OSError, ValueError):
            return {}
        return dict(content.get("metadata", {}))


def _digest(*names: str) -> str:
    files = [Path(name) for name in names]
    return " ".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file())


def _classes(autoload: Mapping[str, object]) -> str:
    """A digest of which files of the app declare which classes, by the lines that look like it."""
    hashed = hashlib.sha256()
    for folder in sorted(set(_places(autoload))):
        files = sorted(Path(folder).rglob("*.php")) if Path(folder).is_dir() else [Path(folder)]
        for file in files:
            if file.is_file() and "vendor" not in file.parts:
                hashed.update(f"\n{file}\n".encode("utf-8", "surrogateescape"))
                hashed.update(b"\n".join(_DECLARED.findall(file.read_bytes())))
    return hashed.hexdigest()


def _places(autoload: Mapping[str, object]) -> Sequence[str]:
    found: list[str] = []
    for kind in ("psr-4", "psr-0", "classmap"):
        given = autoload.get(kind) or {}
        for value in given.values() if isinstance(given, dict) else given if isinstance(given, list) else []:
            found += [value] if isinstance(value, str) else [each for each in value if isinstance(each, str)]
    return [each or "." for each in found]
