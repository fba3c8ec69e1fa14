"""Slices: parts of the app that get layers of their own (buildpack.md "launch.toml", slices). Pure but for names on
disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from wherry.domain.errors import InvalidInput
from wherry.domain.text import printable
from wherry.images.entries import Pick, Tree


@dataclass(frozen=True, slots=True)
class Parts:
    """How the app folder falls into layers: for each slice that has anything, the paths in it; and the rest."""

    slices: tuple[Pick, ...]
    rest: Pick | None


def parts(app: Path, slices: Sequence[Sequence[str]]) -> Parts:
    """A path belongs to the first slice that one of whose patterns matches it or a folder above it.

    Raises InvalidInput for a pattern that is none or leaves the app.
    """
    if not slices:
        return Parts((), None)
    patterns = [[_compiled(pattern) for pattern in each] for each in slices]
    taken: dict[str, int] = {}
    wanted: list[set[str]] = [set() for _ in slices]
    for name in _names(app):
        found = (taken.get(name.rpartition("/")[0]), _first(patterns, name))
        number = min((each for each in found if each is not None), default=None)
        if number is not None:
            taken[name] = number
            wanted[number].update((name, *_above(name)))
    return Parts(tuple(each.__contains__ for each in wanted if each), lambda name: name not in taken)


def _names(app: Path) -> Iterator[str]:
    """Folders before what is in them."""
    for entry in Tree(app, "/app").entries():
        if name := entry.path.removeprefix("/app").lstrip("/"):
            yield name


def _first(patterns: list[list[re.Pattern[str]]], name: str) -> int | None:
    for number, each in enumerate(patterns):
        if any(pattern.fullmatch(name) for pattern in each):
            return number
    return None


def _above(name: str) -> Iterator[str]:
    while name := name.rpartition("/")[0]:
        yield name


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Go's filepath.Match: ``*`` and ``?`` stop at a slash, ``[^a-c]`` negates, a backslash quotes. A path may also be
    absolute, within the app's folder.
    """
    below = pattern.removeprefix("/workspace/") if pattern != "/workspace" else ""
    parts = [part for part in below.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise InvalidInput(f"the slice '{printable(pattern)}' is not a path in the app")
    try:
        return re.compile("/".join(_translated(part) for part in parts), re.DOTALL)
    except re.error as error:
        raise InvalidInput(f"the slice '{printable(pattern)}' is not a pattern") from error


_TOKEN = re.compile(
    r"\\(?P<quoted>.)|\[(?P<negated>\^?)(?P<set>(?:\\.|[^\]\\])+)\]|(?P<any>\*)|(?P<one>\?)|(?P<plain>.)", re.DOTALL
)


def _translated(part: str) -> str:
    made = []
    for token in _TOKEN.finditer(part):
        if token["quoted"]:
            made.append(re.escape(token["quoted"]))
        elif token["set"]:
            made.append(f"[{token['negated']}{_set(token['set'])}]")
        elif token["any"]:
            made.append("[^/]*")
        elif token["one"]:
            made.append("[^/]")
        elif token["plain"] in "[]\\":
            raise InvalidInput(f"the slice '{printable(part)}' is not a pattern")
        else:
            made.append(re.escape(token["plain"]))
    return "".join(made)


def _set(text: str) -> str:
    """Ranges stay; anything that Python would read otherwise is quoted."""
    return re.sub(r"(\\.)|([\[&~|^])", lambda found: found[1] or f"\\{found[2]}", text)
