"""cargo: its crates and what it compiled in caches, the programs in a layer."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import bill
import checkouts
import failures
from store import Layers
from talk import OTHER, Refusal, detail, output_of, run, step

_DROPPED = ("CARGO_BUILD_TARGET_DIR", "CARGO_ENCODED_RUSTFLAGS", "RUSTUP_TOOLCHAIN", "RUSTUP_HOME", "CARGO_MAKEFLAGS")
_MOST_CACHED = 3 << 30
"""Bytes, of crates and of what is compiled of them each."""


class Cargo:
    def __init__(self, layers: Layers, app: Path, env: Mapping[str, str]) -> None:
        self._layers, self._app = layers, app
        self._crates, self._target = layers.folder / "crates", layers.folder / "target"
        # Debian's cargo fetches from Git by git only: see checkouts.py.
        given = {"CARGO_NET_GIT_FETCH_WITH_CLI": "true", **env}
        self._env = {name: value for name, value in given.items() if name not in _DROPPED} | {
            "CARGO_HOME": str(self._crates),
            "CARGO_TARGET_DIR": str(self._target),
            "CARGO_TERM_COLOR": "never",
            "CARGO_TERM_PROGRESS_WHEN": "never",
            "GIT_TERMINAL_PROMPT": "0",
        }
        self._fresh = False
        self._host = self._rust = ""

    def version(self) -> str:
        """Of rustc. Raises Refusal."""
        try:
            code, out, said = output_of(["rustc", "--version", "--verbose"], self._env, Path("/"))
        except OSError as error:
            raise Refusal(
                OTHER, "there is no Rust in this build; the buildpack wherry/apt brings it", [str(error)]
            ) from error
        facts = dict(line.split(": ", 1) for line in out.splitlines() if ": " in line)
        if code != 0 or not {"release", "host"} <= facts.keys():
            raise Refusal(OTHER, "rustc does not run", said[:5])
        self._host, self._rust = facts["host"], facts["release"]
        return facts["release"]

    def begin(self, version: str) -> None:
        """What another Rust compiled is of no use."""
        if self._layers.known("target").get("rust") != version:
            self._layers.fresh("target")
        self._target.mkdir(exist_ok=True)
        self._layers.keep("target", {"cache"}, {"rust": version})
        self._crates.mkdir(exist_ok=True)
        self._layers.keep("crates", {"cache"}, {})
        config = self._crates / "config.toml"
        config.unlink(missing_ok=True)
        if mirror := self._env.get("BP_RUST_CRATES_MIRROR", "").strip():
            detail("Crates come from the registry that BP_RUST_CRATES_MIRROR names")
            config.write_text(
                f'[source.crates-io]\nreplace-with = "mirror"\n\n[source.mirror]\nregistry = {json.dumps(mirror)}\n'
            )

    def metadata(self) -> str:
        """Of the app's own packages. Raises Refusal."""
        argv = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
        code, out, said = output_of(argv, self._env, self._app)
        if code != 0:
            raise failures.refusal(said)
        return out

    def build(self, wanted: list[str]) -> list[str]:
        """`wanted`: programs, none for all. Names of those that were built. Raises Refusal."""
        step(f"Building {', '.join(wanted) or 'all programs'}")
        argv = ["cargo", "build", "--release", "--workspace", "--message-format=json-render-diagnostics"]
        argv += [f"--bin={name}" for name in wanted] or ["--bins"]
        if (self._app / "Cargo.lock").is_file():
            argv.append("--locked")
            self._fetch_from_git()
        else:
            detail("There is no Cargo.lock, so any push may get other versions of its crates.")
            detail("Write it and commit it. Try: cargo generate-lockfile && git add -f Cargo.lock")
        messages = self._layers.work / "messages"
        code, said = run(argv, self._env, self._app, messages)
        if code != 0:
            raise failures.refusal(said)
        return self._lay(messages)

    def keep_caches(self) -> None:
        """Measured when crates were compiled, and not for the app's own."""
        for name, folder in (("crates", self._crates), ("target", self._target)):
            if self._fresh and _size(folder) > _MOST_CACHED:
                detail(f"The cache {name} has grown too large, and begins anew")
                self._layers.fresh(name).mkdir()

    def _fetch_from_git(self) -> None:
        """Ahead of the build, which says what is wrong when this does not end well."""
        revisions = checkouts.missing(self._crates, self._app)
        if not revisions:
            return
        detail("Fetching crates from Git")
        argv = ["cargo", "fetch", "--locked", "--target", self._host]
        code, _, said = output_of(argv, self._env, self._app)
        while code != 0 and checkouts.needed(said) and checkouts.lay(self._crates, revisions, self._env):
            code, _, said = output_of(argv, self._env, self._app)

    def _lay(self, messages: Path) -> list[str]:
        """The programs that cargo says it made."""
        folder = self._layers.fresh("programs") / "bin"
        folder.mkdir(parents=True)
        names, crates = [], []
        with messages.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                message = json.loads(line) if line.startswith('{"reason":"compiler-artifact"') else {}
                own = _is_own(message.get("package_id", ""))
                self._fresh |= not own and not message.get("fresh", True)
                crates += [] if own else [message["manifest_path"]]
                if message.get("executable") and "bin" in message["target"]["kind"]:
                    name = Path(message["executable"]).name
                    shutil.copy2(message["executable"], folder / name)
                    names.append(name)
        bill.write(folder.parent, crates, self._app, self._rust)
        self._layers.keep("programs", {"launch"}, {})
        return sorted(names)


def _is_own(package: str) -> bool:
    """Of the app's folder, as cargo names it: ``path+file://…``, and before 1.77 ``name 1.0 (path+file://…)``."""
    return not package or package.startswith("path+") or "(path+" in package


def _size(folder: Path) -> int:
    total = 0
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total
