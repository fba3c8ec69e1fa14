"""The npm registry, through npm itself: which versions there are, and packages by version. npm checks what it fetches.

Runs in a folder of its own, so that an app's .npmrc does not say where Node.js comes from. Names no registry.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import failures
from talk import NETWORK, NOT_AVAILABLE, OTHER, Refusal, output_of

_MATCHING = """
const semver = require(process.argv[1]);
const [range, versions] = JSON.parse(process.argv[2]);
const valid = semver.validRange(range) !== null;
process.stdout.write(JSON.stringify(valid ? semver.rsort(versions.filter(v => semver.satisfies(v, range))) : null));
"""
_SETTINGS = {"audit": "false", "fund": "false", "progress": "false", "update_notifier": "false", "loglevel": "error"}
_MOST_SHOWN = 8


class Npm:
    """`node` (asked for once it is needed) and `cli`: the programs; `work`: a folder for its runs and its cache."""

    def __init__(self, node: Callable[[], Path], cli: Path, work: Path, env: Mapping[str, str]) -> None:
        self._node = node
        self._cli = cli
        self._semver = cli.parent.parent / "node_modules/semver"
        self._work = work
        self._env = {name: value for name, value in env.items() if not _of_an_app(name)}
        self._env |= {f"npm_config_{name}": value for name, value in _SETTINGS.items()}
        self._env |= {"npm_config_cache": str(work / "cache"), "PATH": env.get("PATH", "")}
        work.mkdir(parents=True, exist_ok=True)

    def versions(self, package: str, what: str) -> list[str]:
        """All but pre-releases. Raises Refusal: the network, or a package that the registry lacks."""
        code, out, said = self._run("view", package, "versions", "--json")
        if code != 0:
            raise self._failure(f"{what} could not be looked for", out.split("\n") + said)
        found = json.loads(out)
        return [each for each in (found if isinstance(found, list) else [found]) if "-" not in each]

    def matching(self, wanted: str, versions: list[str]) -> list[str] | None:
        """The newest first, by npm's own semver; None when `wanted` is no range."""
        argv = [str(self._node()), "-e", _MATCHING, str(self._semver), json.dumps([wanted, versions])]
        code, out, said = output_of(argv, self._env, self._work)
        if code != 0:
            raise Refusal(OTHER, "npm's semver cannot be run", said[:5])
        found: list[str] | None = json.loads(out)
        return found

    def pack(self, package: str, version: str, what: str) -> tuple[Path, str]:
        """The package's archive, and its integrity (sha512, base64)."""
        code, out, said = self._run("pack", f"{package}@{version}", "--json", "--ignore-scripts")
        if code != 0:
            raise self._failure(f"{what} {version} could not be fetched", out.split("\n") + said)
        found = json.loads(out)
        one = found[0] if isinstance(found, list) else next(iter(found.values()))
        name = one["filename"].replace("@", "").replace("/", "-")
        return self._work / name, str(one["integrity"])

    def install(self, spec: str, folder: Path, what: str) -> None:
        """Into folder/node_modules, with the package's own install scripts."""
        folder.mkdir(parents=True)
        code, out, said = self._run("install", "--prefix", str(folder), "--no-save", "--no-package-lock", spec)
        if code != 0:
            raise self._failure(f"{what} could not be installed", out.split("\n") + said)

    def _run(self, *words: str) -> tuple[int, str, list[str]]:
        node = self._node()
        env = self._env | {"PATH": f"{node.parent}:{self._env['PATH']}", "HOME": str(self._work)}
        return output_of([str(node), str(self._cli), *words], env, self._work)

    def _failure(self, cause: str, lines: list[str]) -> Refusal:
        kind = failures.kind_of(lines)
        evidence = failures.evidence(lines)
        if kind is failures.NETWORK_DOWN:
            return Refusal(NETWORK, f"{cause}: the npm registry cannot be reached", evidence, failures.NETWORK_HINT)
        return Refusal(NOT_AVAILABLE if kind is failures.NOT_THERE else OTHER, cause, evidence)


def not_available(what: str, wanted: str, source: str, versions: list[str], hint: str) -> Refusal:
    """The newest version of each of the newest majors is what there is to have."""
    newest: dict[int, tuple[int, ...]] = {}
    for each in versions:
        parts = tuple(int(part) for part in each.split("."))
        newest[parts[0]] = max(parts, newest.get(parts[0], parts))
    have = [".".join(map(str, newest[major])) for major in sorted(newest, reverse=True)[:_MOST_SHOWN]]
    cause = f"{what} {wanted} is not available here: have {', '.join(have)}"
    return Refusal(NOT_AVAILABLE, cause, [f"asked for by {source}"] if source else [], hint)


def digest_of(file: Path, algorithm: str) -> str:
    digest = hashlib.new(algorithm)
    with file.open("rb") as opened:
        while block := opened.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _of_an_app(name: str) -> bool:
    """Settings that change what an installation leaves out; those of the registry stay."""
    return name == "NODE_OPTIONS" or name.lower() in {
        *("npm_config_production", "npm_config_omit", "npm_config_only", "npm_config_include", "npm_config_offline"),
        *("npm_config_prefix", "npm_config_ignore_scripts", "npm_config_global", "npm_config_workspaces", "node_env"),
    }


def machine() -> str:
    """This machine as npm's packages name it."""
    return {"x86_64": "x64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
