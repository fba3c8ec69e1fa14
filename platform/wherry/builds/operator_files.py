"""Settings of Go and of cargo that this machine keeps in files of theirs, as the variables that builds get."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_MOST_STEPS = 5


def with_files(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ`, and below it what the files say."""
    settings = go_settings(_texts(go_paths(environ))) | cargo_settings(_texts(cargo_paths(environ)))
    return {**settings, **{name: value for name, value in environ.items() if value}}


def go_paths(environ: Mapping[str, str]) -> list[Path]:
    """What `go env -w` writes (go help environment)."""
    if named := environ.get("GOENV"):
        return [] if named == "off" else [Path(named)]
    home = Path(environ.get("HOME", "/nonexistent"))
    return [Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "go/env")]


def cargo_paths(environ: Mapping[str, str]) -> list[Path]:
    """Cargo's own, of the user (The Cargo Book, "Configuration"): the name without .toml counts where both are there."""
    home = Path(environ.get("CARGO_HOME") or Path(environ.get("HOME", "/nonexistent"), ".cargo"))
    return [home / "config.toml", home / "config"]


def go_settings(texts: Sequence[str]) -> dict[str, str]:
    lines = [line.partition("=") for text in texts for line in text.splitlines() if not line.startswith("#")]
    return {name.strip(): value.strip() for name, sign, value in lines if sign and value.strip()}


def cargo_settings(texts: Sequence[str]) -> dict[str, str]:
    """The registry that stands in for the default one has no variable of cargo's own: the buildpack wherry/rust reads ours.
    Logins stay here, and a file that cargo itself would refuse says nothing.
    """
    values: dict[str, str] = {}
    for text in texts:
        try:
            config = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        if mirror := _mirror(_table(config, "source")):
            values["BP_RUST_CRATES_MIRROR"] = mirror
        for section, key in (("http", "proxy"), ("http", "timeout"), ("http", "multiplexing"), ("net", "retry")):
            found = _table(config, section).get(key)
            if isinstance(found, bool | int | str):
                values[f"CARGO_{section}_{key}".upper()] = str(found).lower() if isinstance(found, bool) else str(found)
    return values


def _mirror(sources: Mapping[str, Any]) -> str:
    """Where the chain of replacements of the default registry ends; "" for nowhere, or for a folder of this machine."""
    name = "crates-io"
    for _ in range(_MOST_STEPS):
        source = _table(sources, name)
        if not isinstance(source.get("replace-with"), str):
            return str(source.get("registry", ""))
        name = source["replace-with"]
    return ""


def _table(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name, {})
    return found if isinstance(found, dict) else {}


def _texts(paths: Sequence[Path]) -> list[str]:
    return [path.read_text("utf-8", "replace") for path in paths if path.is_file() and os.access(path, os.R_OK)]
