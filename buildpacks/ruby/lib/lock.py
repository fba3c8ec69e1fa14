"""What Gemfile.lock says, read without Ruby."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_GEM = re.compile(r"^    ([A-Za-z0-9_.-]+) \(([^)]+)\)$", re.MULTILINE)
_OWN = re.compile(r"^  remote: (?!/|\.\.|[a-z]+:)(\S+)$", re.MULTILINE)


def gems_of(app: Path) -> dict[str, str]:
    """Names of all gems to their versions; nothing without a lock."""
    file = app / "Gemfile.lock"
    if not file.is_file():
        return {}
    return dict(_GEM.findall(_text(file)))


def digest(app: Path) -> str:
    """Another one whenever other gems may have to be installed, or the lock may not match the Gemfile any more. Gems
    in the app's own folders are used where they lie, so only what they ask for counts.
    """
    lock = _text(app / "Gemfile.lock")
    folders = [app, *(app / each for each in _OWN.findall(lock))]
    gemspecs = {path for folder in folders if folder.is_dir() for path in folder.glob("*.gemspec")}
    files = [app / "Gemfile", app / "Gemfile.lock", *sorted(gemspecs), *sorted((app / "vendor/cache").glob("*.gem"))]
    hashed = hashlib.sha256()
    for file in files:
        hashed.update(f"{file.relative_to(app)}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return hashed.hexdigest()


def _text(file: Path) -> str:
    return file.read_text("utf-8", "replace").replace("\r\n", "\n")
