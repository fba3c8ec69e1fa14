"""Crates from Git, laid out where cargo looks for them.

Debian's cargo is built for another libgit2 than it runs with, and cannot clone ("invalid version 0 on git_proxy_options").
It fetches with git itself (net.git-fetch-with-cli), and takes a checkout that is there already; so we make it with git.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from talk import output_of

_REVISION = re.compile(r'^source = "git\+[^"]*#([0-9a-f]{40})"\r?$', re.MULTILINE)


def needed(said: Sequence[str]) -> bool:
    return any("on git_proxy_options" in line for line in said)


def missing(crates: Path, app: Path) -> list[str]:
    """Revisions that Cargo.lock names and that are not checked out. `crates`: cargo's home."""
    named = set(_REVISION.findall((app / "Cargo.lock").read_text("utf-8", "replace")))
    have = [path.parent.name for path in (crates / "git/checkouts").glob("*/*/.cargo-ok")]
    return sorted(revision for revision in named if not any(revision.startswith(short) for short in have))


def lay(crates: Path, revisions: Sequence[str], env: Mapping[str, str]) -> int:
    """How many checkouts it made, of what cargo has fetched."""
    made = 0
    for revision in revisions:
        for database in sorted((crates / "git/db").glob("*")):
            code, short, _ = output_of(["git", "rev-parse", "--short=7", f"{revision}^{{commit}}"], env, database)
            if code == 0:
                made += _lay_one(database, crates / "git/checkouts" / database.name / short.strip(), revision, env)
    return made


def _lay_one(database: Path, checkout: Path, revision: str, env: Mapping[str, str]) -> int:
    if (checkout / ".cargo-ok").is_file():
        return 0
    shutil.rmtree(checkout, ignore_errors=True)
    checkout.mkdir(parents=True)
    steps = (
        ["git", "clone", "--quiet", "--no-checkout", str(database), "."],
        ["git", "checkout", "--quiet", "--detach", revision],
        ["git", "submodule", "--quiet", "update", "--init", "--recursive"],
    )
    for argv in steps:
        code, _, _ = output_of(argv, env, checkout)
        if code != 0:
            shutil.rmtree(checkout)
            return 0
    (checkout / ".cargo-ok").touch()
    return 1
