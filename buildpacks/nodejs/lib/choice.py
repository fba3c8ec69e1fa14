"""Which package manager, in which version, and its layer. Never by corepack, which fetches from elsewhere."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import manifest
import registry
from runtime import Node
from store import Layers, key_of
from talk import BAD_SOURCE, Refusal, step
from wanted import EXACT, bad, checked

_FIELD = re.compile(
    r"(npm|pnpm|yarn|bun)@(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:\+(sha(?:1|224|256|384|512))\.([0-9a-f]+))?"
)
_TYPES = {"launch", "build", "cache"}
YARN_CLASSIC, YARN_3, YARN_4 = "1.22.22", "3.8.7", "4.18.1"
BUN = "1.4.5"
PNPM = {"5": "7.33.7", "6": "8.15.9", "9": "10.34.9"}
"""By the first digit of the lock's version."""
NPM_OF_NODE = {8: "6.14.18", 10: "6.14.18", 12: "6.14.18", 14: "6.14.18", 16: "8.19.4", 18: "10.9.9"}
"""For Node.js that the npm of the bootstrap does not run on: the one that came with it."""


class Choice:
    """What is asked for: `name`, a `wanted` range or exact version, `source` where that stands, "" for our default."""

    def __init__(self, values: dict[str, Any], lock: str, app: Path) -> None:
        self.digest: tuple[str, str] | None = None
        self.lock = lock
        field = manifest.text(values, "packageManager")
        found = _FIELD.fullmatch(field)
        if field and not found:
            raise Refusal(
                BAD_SOURCE,
                f"packageManager in package.json is not a package manager and its version: {field[:80]!r}",
                hint="Write it like pnpm@10.34.8: the name, an @ and the whole version.",
            )
        self.name = manifest.LOCKS[lock] if lock else found[1] if found else _named(values) or "npm"
        if found and found[1] != self.name:
            raise Refusal(
                BAD_SOURCE,
                f"packageManager in package.json is {found[1]}, but {lock} is {self.name}'s lock file",
                hint=f"Remove one of them: git rm {lock}, or the packageManager line.",
            )
        if found:
            self.wanted, self.source = found[2], "packageManager in package.json"
            self.digest = (found[3], found[4]) if found[3] else None
        else:
            self.wanted, self.source = manifest.engine(values, "packageManager", self.name)
        if self.wanted and not found:
            checked(self.wanted, self.source, self.name)
        if not self.wanted:
            self.wanted = _default(self.name, app / lock)


def ensure(layers: Layers, choice: Choice, node: Node, env: Mapping[str, str]) -> str:
    """The version; the layer `pm` has it, unless it is the npm that is there already."""
    own = str(manifest.read(node.npm / "npm/package.json")["version"])
    if choice.name == "npm":
        if not choice.wanted:
            choice.wanted = NPM_OF_NODE.get(node.major, NPM_OF_NODE[18] if node.major < 20 else own)
        if choice.wanted == own or (not EXACT.fullmatch(choice.wanted) and node.client.matching(choice.wanted, [own])):
            layers.drop("pm")
            return own
    key = key_of("pm 1", choice.name, choice.wanted, choice.digest, registry.machine())
    known = layers.known("pm")
    version = known.get("version", "")
    if known.get("key") != key:
        version = _fetch(layers, choice, node, env)
    layers.keep("pm", _TYPES, {"key": key, "version": version})
    return version


def _fetch(layers: Layers, choice: Choice, node: Node, env: Mapping[str, str]) -> str:
    package = _package(choice)
    version = _version(choice, package, node)
    step(f"Getting {choice.name} {version}{f', as {choice.source} asks' if choice.source else ''}")
    layer = layers.fresh("pm")
    if choice.digest and not _is_berry(choice):
        _check(choice, node.client.pack(package, version, choice.name)[0])
    node.client.install(f"{package}@{version}", layer, f"{choice.name} {version}")
    if choice.name == "bun":
        (layer / "bin").mkdir()
        for name in ("bun", "bunx"):
            (layer / "bin" / name).symlink_to(f"../node_modules/{package}/bin/bun")
    else:
        (layer / "bin").symlink_to("node_modules/.bin")
    if choice.digest and _is_berry(choice):
        _check(choice, layer / "node_modules" / package / "bin/yarn.js")
    shutil.rmtree(layers.work / "npm/cache", ignore_errors=True)
    return version


def _version(choice: Choice, package: str, node: Node) -> str:
    if not choice.source:
        return choice.wanted
    versions = node.client.versions(package, choice.name)
    if choice.wanted in versions:
        return choice.wanted
    fitting = node.client.matching(choice.wanted, versions)
    if fitting is None:
        raise bad(choice.wanted, choice.source, choice.name)
    if not fitting:
        hint = f"Ask for one of them in {choice.source}."
        raise registry.not_available(choice.name, choice.wanted, choice.source, versions, hint)
    return fitting[0]


def _package(choice: Choice) -> str:
    if choice.name == "bun":
        return f"@oven/bun-linux-{_bun_machine()}"
    return "@yarnpkg/cli-dist" if _is_berry(choice) else choice.name


def _is_berry(choice: Choice) -> bool:
    return choice.name == "yarn" and not re.match(r"[\^~=v><\s]*[01]\b", choice.wanted)


def _bun_machine() -> str:
    if registry.machine() == "arm64":
        return "aarch64"
    return "x64" if " avx2 " in Path("/proc/cpuinfo").read_text() else "x64-baseline"


def _check(choice: Choice, file: Path) -> None:
    assert choice.digest
    algorithm, wanted = choice.digest
    if (found := registry.digest_of(file, algorithm)) != wanted:
        raise Refusal(
            BAD_SOURCE,
            f"{choice.name} {choice.wanted} is not the one that packageManager in package.json names",
            [f"it says {algorithm}.{wanted[:40]}", f"it is   {algorithm}.{found[:40]}"],
            f"Remove the hash behind the +, or renew it with: corepack use {choice.name}@{choice.wanted}",
        )


def _named(values: dict[str, Any]) -> str:
    """The package manager of devEngines, where no lock says which."""
    found = manifest.table(values, "devEngines").get("packageManager")
    name = found.get("name") if isinstance(found, dict) else None
    return name if name in set(manifest.LOCKS.values()) else ""


def _default(name: str, lock: Path) -> str:
    """By the format of the lock, where versions of the package manager differ in it. "" for npm: Node.js says."""
    head = lock.read_bytes()[:2000].decode("utf-8", "replace") if lock.is_file() else ""
    if name == "pnpm":
        found = re.search(r"^lockfileVersion: *'?(\d+)", head, re.MULTILINE)
        return PNPM.get(found[1], PNPM["9"]) if found else PNPM["9"]
    if name == "yarn":
        found = re.search(r"^__metadata:\s*\n\s*version: (\d+)", head, re.MULTILINE)
        if not found:
            return YARN_CLASSIC
        return YARN_4 if int(found[1]) >= 8 else YARN_3
    return BUN if name == "bun" else ""
