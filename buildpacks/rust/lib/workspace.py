"""What cargo says of the app's packages, and which programs are wanted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from talk import BAD_SOURCE, Refusal

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Workspace:
    """`root`: the package of the app's own folder, "" for none. `least`: packages to their rust-version. `rocket`: whether
    a package needs the framework Rocket, which does not know $PORT.
    """

    programs: tuple[str, ...]
    root: str
    default: str
    least: Mapping[str, str]
    rocket: bool = False


def read(metadata: str, folder: str) -> Workspace:
    """`metadata`: what `cargo metadata --no-deps` prints."""
    packages = json.loads(metadata)["packages"]
    programs = [target["name"] for each in packages for target in each["targets"] if "bin" in target["kind"]]
    root = next((each for each in packages if each["manifest_path"] == f"{folder}/Cargo.toml"), {})
    least = {each["name"]: each["rust_version"] for each in packages if each.get("rust_version")}
    rocket = any(need["name"] == "rocket" for each in packages for need in each.get("dependencies", ()))
    return Workspace(tuple(sorted(programs)), root.get("name", ""), root.get("default_run") or "", least, rocket)


def wanted(workspace: Workspace, env: Mapping[str, str]) -> list[str]:
    """Programs that BP_RUST_BINARIES names; none for all. Raises Refusal."""
    have = ", ".join(dict.fromkeys(workspace.programs))
    if not have:
        hint = "A program is src/main.rs, a file of src/bin, or a [[bin]] in Cargo.toml."
        raise Refusal(BAD_SOURCE, "there is no program in this app, only libraries", (), hint)
    named = [word for word in re.split(r"[\s,:]+", env.get("BP_RUST_BINARIES", "")) if word]
    for name in named:
        if not _NAME.fullmatch(name) or name not in workspace.programs:
            cause = f"BP_RUST_BINARIES names a program that is not there: {name[:60]!a}"
            raise Refusal(BAD_SOURCE, cause, [f"have {have}"], f"Try: wherry config:set BP_RUST_BINARIES={have}")
    twice = sorted({name for name in named or workspace.programs if workspace.programs.count(name) > 1})
    if twice:
        cause = f"two packages have programs of the same name, {twice[0]}"
        raise Refusal(BAD_SOURCE, cause, (), "Rename one in its Cargo.toml.")
    return named


def web(workspace: Workspace, names: list[str]) -> str:
    """ "" when it is not plain which."""
    if len(names) == 1:
        return names[0]
    likely = (workspace.default, "web", "server", workspace.root)
    return next((name for name in likely if name and name in names), "")
