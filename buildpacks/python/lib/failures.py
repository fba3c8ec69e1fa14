"""failures.py SOURCE FILE: says what an installer's error means, the cause first, and ends with the exit code for it.

SOURCE is the app's file that names the packages; FILE holds what uv or Poetry wrote from its first error on.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

BAD_SOURCE, NETWORK, OTHER = 65, 75, 1
_MOST_SHOWN = 12


class Kind(NamedTuple):
    """`pattern` is searched in the whole text; `cause` may name its groups and {source}; `hint` the command to type."""

    code: int
    pattern: str
    cause: str
    hint: str


LOCKS = {"uv.lock": "uv lock", "poetry.lock": "poetry lock", "Pipfile.lock": "pipenv lock"}

KINDS = (
    Kind(
        BAD_SOURCE,
        r"lockfile at .* needs to be updated|changed significantly since|poetry\.lock is not up to date",
        "{source} is out of step with pyproject.toml",
        "{relock}",
    ),
    Kind(
        BAD_SOURCE,
        r"Failed to parse: `?pyproject\.toml|Invalid TOML file|pyproject\.toml.*TOML parse error",
        "pyproject.toml cannot be read",
        "Correct the line that is shown.",
    ),
    Kind(
        BAD_SOURCE,
        r"Failed to parse `?(?P<file>[^`\s]*\.lock)`?|Unable to read the lock file|lock file is not compatible"
        r"|Invalid [a-z].*\(at line \d+, column",
        "{source} cannot be read",
        "{relock}",
    ),
    Kind(
        BAD_SOURCE,
        r"Couldn't parse requirement in `(?P<file>[^`]+)`|error: (Unsupported|Unexpected|Invalid) .* in `(?P<other>[^`]+)`"
        r"|Error parsing included file in `(?P<including>[^`]+)`",
        "{where} has a line that is no requirement",
        "Correct the line that is shown: a line is like flask==3.0.3",
    ),
    Kind(
        BAD_SOURCE,
        r"Hash mismatch for `(?P<package>[^`]+)`",
        "{package} in the index is not the one whose hash {source} has",
        "{relock}",
    ),
    Kind(
        NETWORK,
        r"error sending request|dns error|tcp connect error|Connection (refused|reset)|operation timed out"
        r"|Could not resolve host|status (code |server error \()5\d\d|invalid peer certificate",
        "the package index cannot be reached",
        "Push again in a moment, or ask the operator about proxies and indexes.",
    ),
    Kind(
        BAD_SOURCE,
        r"Because (?P<package>\S+) was not found in the (package registry|provided package locations)",
        "there is no package {package} in the package index",
        "Correct its name in {source}.",
    ),
    Kind(
        BAD_SOURCE,
        r"there (is|are) no versions? of (?P<package>\S+)(?: and| that| in)",
        "there is no {package} in the package index",
        "Ask for another version in {source}.",
    ),
    Kind(
        BAD_SOURCE,
        r"current Python version \((?P<version>[^)]+)\) does not satisfy",
        "the packages of {source} need another Python than {version}",
        "Ask for one in .python-version.",
    ),
    Kind(
        OTHER,
        r"No solution found when resolving",
        "the packages that {source} asks for contradict each other",
        "Does it install on your machine? Try: {install}",
    ),
    Kind(
        BAD_SOURCE,
        r"(?:Failed to build|Failed to download and build) `(?P<package>[^`]+)`|build backend returned an error",
        "{built} could not be built",
        "Does it need a library? Name its Debian package in an Aptfile.",
    ),
    Kind(
        BAD_SOURCE,
        r"401 Unauthorized|403 Forbidden|status (code |client error \()40[13]",
        "the package index asks for a login",
        "Give the credentials as config vars that the index's URL names.",
    ),
)
UNKNOWN = Kind(BAD_SOURCE, "", "{source} could not be installed", "Does it install on your machine? Try: {install}")  # fmt: skip


def main(source: str, file: Path) -> int:
    text = file.read_text("utf-8", "replace")
    kind, words = _explain(text)
    relock = LOCKS.get(source, "")
    words |= {
        "source": source,
        "relock": f"Try: {relock} && git add {source}" if relock else f"Correct the hash in {source}.",
        "install": {"uv.lock": "uv sync", "poetry.lock": "poetry install", "Pipfile.lock": "pipenv sync"}.get(
            source, f"uv pip install -r {source}"
        ),
        "where": words.get("file") or words.get("other") or words.get("including") or source,
        "built": words.get("package") or "a package",
    }
    lines = [kind.cause.format(**words), *_facts(text), "", kind.hint.format(**words)]
    for line in lines:
        print(f" !     {line}")
    return kind.code


def _explain(text: str) -> tuple[Kind, dict[str, str]]:
    for kind in KINDS:
        if match := re.search(kind.pattern, text):
            return kind, {name: value for name, value in match.groupdict().items() if value}
    return UNKNOWN, {}


def _facts(text: str) -> list[str]:
    """The tool's own words without its blank lines: their beginning, and their end, where a build's error stands."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip() and not line.startswith("hint: ")]
    if len(lines) > _MOST_SHOWN:
        half = _MOST_SHOWN // 2
        lines = [*lines[:half], "…", *lines[-half:]]
    return [line[:500] for line in lines]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
