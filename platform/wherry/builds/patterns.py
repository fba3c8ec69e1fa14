"""include and exclude of project.toml: gitignore patterns, applied to the unpacked app before any code runs.

Matched by RE2, whose time is linear: a pattern of many stars would hold a backtracking matcher, and with it the whole
worker, for hours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import re2
from pathspec import GitIgnoreSpec

from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable

MOST = 200
_LONGEST = 128
_NESTED = re.compile(
    r"\[[^]]*(?:\[|--|&&|~~|\|\|)"
)  # classes within classes mean different things to different matchers


def faults(patterns: Sequence[str]) -> dict[int | None, str]:
    """Why they cannot be used, by their place; None for all of them together. Nothing when they can."""
    if len(patterns) > MOST:
        return {None: f"has {len(patterns)} patterns; the most is {MOST}"}
    found: dict[int | None, str] = {place: why for place, each in enumerate(patterns) if (why := _fault(each))}
    if not found and (why := _why_not(patterns)):
        found[None] = f"is too much for the matcher: {why}"
    return found


def _fault(pattern: str) -> str:
    if len(pattern) > _LONGEST or any(not char.isprintable() for char in pattern):
        return f"is longer than {_LONGEST} characters, or has some that do not print"
    if _NESTED.search(pattern):
        return "has brackets within brackets"
    why = _why_not([pattern])
    return f"is not a pattern of gitignore: {why}" if why else ""


def _why_not(patterns: Sequence[str]) -> str:
    try:
        _spec(patterns).match_file("a/b")
    except (ValueError, re.error, re2.error) as error:
        return printable(str(error), 120)
    return ""


def keep_only(app: Path, include: Sequence[str] | None, exclude: Sequence[str] | None) -> int:
    """Removes from `app` what is not included, or excluded, and the folders that this leaves empty; how many files."""
    if include is None and exclude is None:
        return 0
    spec, wanted = _spec(include if include is not None else exclude or ()), include is not None
    removed = 0
    try:
        for folder, below, files in os.walk(app, topdown=False):
            links = [name for name in below if Path(folder, name).is_symlink()]
            for name in (*files, *links):
                path = Path(folder, name)
                if spec.match_file(os.fspath(path.relative_to(app))) is not wanted:
                    path.unlink()
                    removed += 1
            if Path(folder) != app and not list(Path(folder).iterdir()):
                Path(folder).rmdir()
    except OSError as error:
        raise PlatformFault(f"the app's files cannot be left out: {printable(str(error), 300)}") from error
    return removed


def _spec(patterns: Sequence[str]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(patterns, backend="re2")
