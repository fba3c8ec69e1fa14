"""Which Go an app asks for, and which of those that we have it gets. Never another one in silence."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gomod import Module
from talk import BAD_SOURCE, NOT_AVAILABLE, Refusal

_LOCK = Path(__file__).with_name("toolchains.txt")
_ASKED = re.compile(r"(?:go)?([0-9]+\.[0-9]+(?:\.[0-9]+)?)(?:\.x)?")
_LINE = re.compile(r"([0-9]+\.[0-9]+(?:\.[0-9]+)?)(?:(?:rc|beta)[0-9]+)?")
_TOOLCHAIN = re.compile(r"go([0-9]+\.[0-9]+(?:\.[0-9]+)?)(?:(?:rc|beta)[0-9]+)?(?:[-+].*)?")


@dataclass(frozen=True, slots=True)
class Choice:
    """`why`: words for the pusher."""

    version: str
    digest: str
    why: str


def choose(module: Module, env: Mapping[str, str], have: Mapping[str, str]) -> Choice:
    """`have`: versions to digests. Raises Refusal.

    BP_GO_VERSION, GOVERSION and `// +heroku goVersion` name a Go: that one, or the newest patch of "1.26". Lines of
    go.mod name the oldest that will do (go.dev/doc/toolchain): the newest patch of the same minor release, and where we
    have none the newest of all, which Go's promise of compatibility allows.
    """
    named = (("BP_GO_VERSION", env.get("BP_GO_VERSION", "")), ("GOVERSION", env.get("GOVERSION", "")))
    for source, text in (*named, ("+heroku goVersion in go.mod", module.wanted)):
        if text.strip():
            return _named(text.strip(), source, have)
    least = [_least(_LINE, module.go, "the go line of go.mod")] if module.go else []
    if module.toolchain not in ("", "default", "local"):
        least.append(_least(_TOOLCHAIN, module.toolchain, "the toolchain line of go.mod"))
    if not least:
        newest = max(have, key=numbers)
        return Choice(newest, have[newest], "go.mod has no go line: the newest there is")
    source, wanted = max(least, key=lambda each: numbers(each[1]))
    return _at_least(wanted, source, have)


def known(machine: str | None = None) -> dict[str, str]:
    """Versions to digests of what the lock file has for a machine, as uname names it."""
    rows = [line.split() for line in _LOCK.read_text().splitlines() if line and not line.startswith("#")]
    return {version: digest for version, where, digest in rows if where == (machine or os.uname().machine)}


def numbers(version: str) -> tuple[int, ...]:
    """1.21 counts as 1.21.0, as a go line of it does."""
    found = tuple(int(part) for part in version.split("."))
    return found + (0,) * (3 - len(found))


def shown(have: Sequence[str]) -> str:
    """The newest of each minor release."""
    newest: dict[tuple[int, ...], str] = {}
    for each in sorted(have, key=numbers):
        newest[numbers(each)[:2]] = each
    return ", ".join(reversed(newest.values()))


def _named(text: str, source: str, have: Mapping[str, str]) -> Choice:
    found = _ASKED.fullmatch(text)
    if not found:
        raise Refusal(BAD_SOURCE, f"{source} does not name a version of Go: {text[:60]!a}", (), "Write one like 1.26.")
    wanted = found[1]
    exact = wanted.count(".") == 2
    fitting = [each for each in have if each == wanted or (not exact and numbers(each)[:2] == numbers(wanted)[:2])]
    if not fitting:
        raise _not_available(wanted, source, have)
    version = max(fitting, key=numbers)
    return Choice(version, have[version], f"as {source} asks")


def _at_least(wanted: str, source: str, have: Mapping[str, str]) -> Choice:
    enough = [each for each in have if numbers(each) >= numbers(wanted)]
    if not enough:
        raise _not_available(wanted, source, have)
    same = [each for each in enough if numbers(each)[:2] == numbers(wanted)[:2]]
    version = max(same or enough, key=numbers)
    if version == wanted:
        why = f"as {source} says"
    elif same:
        why = f"the newest patch of {'.'.join(wanted.split('.')[:2])}; {source} says {wanted}, or newer"
    else:
        why = f"the newest there is; {source} says {wanted}, or newer"
    return Choice(version, have[version], why)


def _least(grammar: re.Pattern[str], text: str, source: str) -> tuple[str, str]:
    found = grammar.fullmatch(text)
    if not found:
        raise Refusal(BAD_SOURCE, f"{source} does not name a version of Go: {text[:60]!a}", (), "Write it like 1.26.0.")
    return source, found[1]


def _not_available(wanted: str, source: str, have: Mapping[str, str]) -> Refusal:
    cause = f"Go {wanted} is not available here: have {shown(list(have)) or 'none for this kind of machine'}"
    return Refusal(NOT_AVAILABLE, cause, [f"asked for by {source}"], f"Ask for one of them in {source}.")
