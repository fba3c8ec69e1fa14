"""Which Rust an app asks for, and whether the one that is here is that one. Never another one in silence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talk import BAD_SOURCE, NOT_AVAILABLE, Refusal

_NUMBER = re.compile(r"[0-9]+\.[0-9]+(?:\.[0-9]+)?")
_CHANNEL = re.compile(
    r"(?P<name>stable|beta|nightly|[0-9]+(?:\.[0-9]+){1,2})(?P<date>-[0-9]{4}-[0-9]{2}-[0-9]{2})?(?P<host>-[a-z0-9_-]+)?"
)
_FILES = ("rust-toolchain", "rust-toolchain.toml")
"""In rustup's order (The rustup book, "Overrides")."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`channel` as rustup names them, "" for any Rust; `source`: where it stands."""

    channel: str = ""
    source: str = ""

    def met_by(self, version: str) -> bool:
        if self.channel in ("", "stable"):
            return True
        return bool(_NUMBER.fullmatch(self.channel)) and numbers(version)[: self.channel.count(".") + 1] == numbers(
            self.channel
        )


def wanted(app: Path, env: Mapping[str, str]) -> Wanted:
    """Raises Refusal for what names no Rust."""
    if text := env.get("BP_RUST_VERSION", "").strip():
        return _channel(text, "BP_RUST_VERSION")
    for name in _FILES:
        if (app / name).is_file():
            return _of_file(app / name)
    return Wanted()


def check(asked: Wanted, least: Mapping[str, str], have: str) -> str:
    """Why this Rust is right, in words. `least`: packages to their rust-version. Raises Refusal."""
    if not asked.met_by(have):
        hint = f"Ask for {have} in {asked.source}, or remove it."
        raise _not_available(asked.channel, have, f"asked for by {asked.source}", hint)
    for package, version in least.items():
        if numbers(version) > numbers(have):
            evidence = f"asked for by rust-version in Cargo.toml of {package}"
            raise _not_available(version, have, evidence, "Does the app need it? Lower rust-version in Cargo.toml.")
    if asked.channel:
        return f"as {asked.source} asks"
    if least:
        return f"no older than {max(least.values(), key=numbers)}, as rust-version in Cargo.toml asks"
    return "nothing asks for another"


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall("[0-9]+", version.partition("-")[0]))


def _not_available(wanted: str, have: str, evidence: str, hint: str) -> Refusal:
    return Refusal(NOT_AVAILABLE, f"Rust {wanted} is not available here: have {have}", [evidence], hint)


def _of_file(file: Path) -> Wanted:
    text = file.read_text("utf-8-sig", "replace").strip()
    if file.suffix != ".toml" and "\n" not in text and "[" not in text:
        return _channel(text, file.name)
    try:
        content: Any = tomllib.loads(text).get("toolchain", {})
    except (ValueError, RecursionError) as error:
        raise Refusal(BAD_SOURCE, f"{file.name} is not TOML: {str(error)[:200]}") from error
    found = content.get("channel", "") if isinstance(content, dict) else ""
    if isinstance(content, dict) and content.get("path"):
        raise Refusal(BAD_SOURCE, f"{file.name} names a folder, which is not here", (), "Name a channel, like 1.96.")
    return _channel(found, file.name) if isinstance(found, str) and found else Wanted()


def _channel(text: str, source: str) -> Wanted:
    found = _CHANNEL.fullmatch(text)
    if not found:
        raise Refusal(BAD_SOURCE, f"{source} does not name a Rust: {text[:60]!a}", (), "Write one like 1.96.")
    return Wanted(found["name"] + (found["date"] or ""), source)
