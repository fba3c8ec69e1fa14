"""Bundler: the gems of Gemfile.lock in a layer, those of vendor/cache without a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import bill
import cyclonedx
import failures
import keep
import lock
from interpreter import Ruby
from talk import detail, step

_QUIET = ("Using ", "Fetching gem metadata", "Resolving dependencies", "Bundle", "Gems in the group")


class Gems:
    """The layer, which is used again as it is until what it was made of changes."""

    def __init__(self, layers: Path, ruby: Ruby) -> None:
        self._layer = layers / "gems"
        self._ruby = ruby
        without = os.environ.get("BUNDLE_WITHOUT", "development:test")
        self._settings = {
            "BUNDLE_APP_CONFIG": str(layers / "ruby/bundle"),
            "BUNDLE_DEPLOYMENT": "1",
            "BUNDLE_PATH": str(self._layer),
            "BUNDLE_WITHOUT": without,
            "BUNDLER_VERSION": ruby.bundler,
        }
        self._home = self._layer / "ruby" / ruby.abi
        os.environ.update(self._settings)
        system = (os.environ.get("CNB_STACK_ID"), os.environ.get("CNB_TARGET_DISTRO_VERSION"), os.uname().machine)
        self._key = repr(("1", lock.digest(Path.cwd()), ruby.version, str(ruby.program), without, system))

    def install(self) -> bool:
        """Whether anything was to be done. Raises Refusal."""
        if self._known() == self._key and self._home.is_dir():
            detail("Gemfile.lock has not changed: its gems are used again")
            if not cyclonedx.file_of(self._layer).is_file():
                bill.write(self._layer, self._home)
            return False
        step(f"Installing Gemfile.lock with Bundler {self._ruby.bundler}")
        if Path(".bundle/config").is_file():
            detail("The app's .bundle/config is not read")
        cached = any(Path("vendor/cache").glob("*.gem"))
        code, said = self._bundle("install", *(["--local"] if cached else []))
        if code:
            raise failures.refusal(said, cached)
        self._bundle("clean", "--force")
        for folder in ("cache", "doc"):
            shutil.rmtree(self._home / folder, ignore_errors=True)
        self._home.mkdir(parents=True, exist_ok=True)
        bill.write(self._layer, self._home)
        return True

    def keep(self) -> None:
        env = self._layer / "env"
        env.mkdir(parents=True, exist_ok=True)
        for name, value in self._settings.items():
            keep.write(env / name, value)
        for name, value in {"PATH": self._home / "bin", "GEM_PATH": self._home}.items():
            keep.write(env / f"{name}.prepend", str(value))
            keep.write(env / f"{name}.delim", ":")
        self._layer.with_name("gems.toml").write_text(
            f"[types]\nlaunch = true\nbuild = true\ncache = true\n\n[metadata]\nkey = {json.dumps(self._key)}\n"
        )

    def exec(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """A program of the bundle, its output in one text."""
        argv = ["bundle", "exec", *words]
        given = {**os.environ, **env}
        stdout, errors = subprocess.PIPE, subprocess.STDOUT
        return subprocess.run(argv, env=given, stdout=stdout, stderr=errors, text=True, errors="replace", check=False)

    def _bundle(self, *words: str) -> tuple[int, list[str]]:
        """Its exit code, and its lines, which are printed as they come."""
        argv = ["bundle", *words]
        env = {**os.environ, "BUNDLE_JOBS": str(os.cpu_count() or 1), "BUNDLE_NO_COLOR": "1"}
        stdout, errors = subprocess.PIPE, subprocess.STDOUT
        said = []
        with subprocess.Popen(argv, env=env, stdout=stdout, stderr=errors, text=True, errors="replace") as running:
            assert running.stdout
            for line in running.stdout:
                said.append(line.rstrip("\n"))
                if words[0] == "install" and line.strip() and not line.startswith(_QUIET) and not failures.begins(said):
                    detail(said[-1])
        return running.returncode, said

    def _known(self) -> str:
        try:
            content = tomllib.loads(self._layer.with_name("gems.toml").read_text())
        except (OSError, ValueError):
            return ""
        return str(content.get("metadata", {}).get("key", ""))
