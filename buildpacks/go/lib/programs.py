"""Which packages are programs, and building them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import bill
import failures
from gomod import Module
from store import Layers
from talk import BAD_SOURCE, Refusal, detail, output_of, run, step

_TARGET = re.compile(r"\.{1,2}|(\./)?[A-Za-z0-9_.][A-Za-z0-9_.@~+/-]*")
_DROPPED = ("GOROOT", "GOBIN", "GOOS", "GOARCH", "GOTOOLDIR", "GOPATH", "GOMODCACHE", "GO111MODULE")
_MOST_CACHED = 2 << 30
"""Bytes, of modules and of compiled packages each."""


class Go:
    """`program`: the go command; `vendored`: modules come with the app, and nothing is fetched."""

    def __init__(self, program: Path, layers: Layers, app: Path, env: Mapping[str, str]) -> None:
        self.vendored = (app / "vendor/modules.txt").is_file()
        self._fetched = False
        self._program, self._layers, self._app = program, layers, app
        given = {name: value for name, value in env.items() if name not in _DROPPED}
        self._env = {
            "CGO_ENABLED": "0",
            **given,
            "GOTOOLCHAIN": "local",
            "GOENV": "off",
            "GOPATH": str(layers.folder / "modules"),
            "GOCACHE": str(layers.folder / "compiled"),
            "GOFLAGS": " ".join([*given.get("GOFLAGS", "").split(), "-modcacherw"]),
            "GIT_TERMINAL_PROMPT": "0",
            # Packages are looked up by times of files, which say nothing about an app that was just unpacked.
            "GODEBUG": ",".join([*given.get("GODEBUG", "").split(), "goindex=0"]),
            "PATH": f"{program.parent}:{env.get('PATH', '')}",
        }
        if self.vendored:
            self._env |= {"GOPROXY": "off"}

    def mains(self, targets: list[str], source: str) -> dict[str, str]:
        """Names of programs to their packages. Raises Refusal."""
        argv = [str(self._program), "list", "-find", "-f", "{{.Name}} {{.ImportPath}} {{.Target}}", *targets]
        code, out, said = output_of(argv, self._env, self._app)
        for line in said:
            detail(line)
        self._fetched |= _fetches(said)
        if code != 0:
            raise failures.refusal(said, self.vendored)
        found: dict[str, str] = {}
        for name, path, *target in (line.split() for line in out.splitlines()):
            if name != "main":
                continue
            program = Path(target[0]).name if target else path.rpartition("/")[2]
            if program in found:
                cause = f"two packages are programs of the same name, {program}"
                raise Refusal(BAD_SOURCE, cause, [found[program], path], "Choose one with BP_GO_TARGETS.")
            found[program] = path
        if not found:
            hint = "A program is a package main. Name its folder: wherry config:set BP_GO_TARGETS=./cmd/server"
            raise Refusal(BAD_SOURCE, f"there is no program among {' '.join(targets)}, {source}", (), hint)
        return found

    def build(self, mains: Mapping[str, str]) -> None:
        """Raises Refusal."""
        step(f"Building {', '.join(mains)}{' with the modules of vendor/' if self.vendored else ''}")
        programs = self._layers.fresh("programs")
        (programs / "bin").mkdir(parents=True)
        argv = [str(self._program), "build", "-trimpath", "-buildvcs=false", "-o", f"{programs}/bin/", *mains.values()]
        code, said = run(argv, self._env, self._app)
        self._fetched |= _fetches(said)
        if code != 0:
            raise failures.refusal(said, self.vendored)
        argv = [str(self._program), "version", "-m", *map(str, sorted((programs / "bin").iterdir()))]
        code, shown, said = output_of(argv, self._env, self._app)
        if code != 0:
            raise failures.refusal(said, self.vendored)
        bill.write(programs, shown)
        self._layers.keep("programs", {"launch"}, {})

    def keep_caches(self) -> None:
        """Go itself drops from its cache what was not used for five days. Neither is measured without a reason."""
        for name in ("modules", "compiled"):
            folder = self._layers.folder / name
            if folder.is_dir():
                if self._fetched and _size(folder) > _MOST_CACHED:
                    detail(f"The cache of {name} has grown too large, and begins anew")
                    self._layers.fresh(name).mkdir()
                self._layers.keep(name, {"cache"}, {})


def targets(module: Module, env: Mapping[str, str]) -> tuple[list[str], str]:
    """Patterns of packages, and who says so. Raises Refusal for what is none."""
    given = (
        (env.get("BP_GO_TARGETS", "").replace(":", " ").replace(",", " "), "which BP_GO_TARGETS names"),
        (env.get("GO_INSTALL_PACKAGE_SPEC", ""), "which GO_INSTALL_PACKAGE_SPEC names"),
        (module.install, "which +heroku install in go.mod names"),
    )
    for text, source in given:
        if words := text.split():
            wrong = [word for word in words if not _TARGET.fullmatch(word)]
            if wrong:
                cause = f"{wrong[0][:60]!a}, {source}, is not a package"
                raise Refusal(BAD_SOURCE, cause, (), "Write folders like ./cmd/server, or ./cmd/... for all below one.")
            return words, source
    return ["./..."], "the packages of the app"


def _fetches(said: list[str]) -> bool:
    return any(line.startswith("go: downloading ") for line in said)


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
