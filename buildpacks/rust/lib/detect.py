"""The build plan: Rust from the distribution, and what crates with native code need of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

RUST = ["rustc", "cargo"]
RUST_OF_DEBIAN_12 = ["rustc-web", "cargo-web"]
"""What Debian builds its browsers with, and so keeps new; its rustc is of 2022."""
LIBRARIES: dict[str, tuple[list[str], list[str]]] = {
    "cmake": (["cmake"], []),
    "libsqlite3-sys": (["libsqlite3-dev"], ["libsqlite3-0"]),
    "mysqlclient-sys": (["default-libmysqlclient-dev"], ["libmariadb3"]),
    "prost-build": (["protobuf-compiler"], []),
}
"""Crate to what it is built with, and what it runs with. libpq and OpenSSL are in the stack."""
_MOST_BYTES = 4 << 20


def main(plan: Path) -> int:
    plan.write_text(plan_of(Path.cwd(), os.environ, installed=shutil.which("cargo") is not None))
    return 0


def plan_of(app: Path, env: Mapping[str, str], *, installed: bool) -> str:
    """`installed`: the build image has a cargo of its own, which is taken then."""
    asked: list[dict[str, object]] = []
    if not installed:
        distro = (env.get("CNB_TARGET_DISTRO_NAME", "debian"), env.get("CNB_TARGET_DISTRO_VERSION", "12"))
        asked.append({"packages": RUST_OF_DEBIAN_12 if distro == ("debian", "12") else RUST})
    crates = _crates(app)
    for crate, (build, run) in LIBRARIES.items():
        if crate in crates:
            asked.append({"packages": build})
            asked += [{"packages": run, "launch": True}] if run else []
    text = '[[provides]]\nname = "rust"\n\n[[requires]]\nname = "rust"\n'
    for metadata in asked:
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in metadata.items())
        text += f'\n[[requires]]\nname = "apt"\n[requires.metadata]\n{lines}'
    return text


def _crates(app: Path) -> set[str]:
    """Names in Cargo.lock; none without one."""
    file = app / "Cargo.lock"
    if not file.is_file() or file.stat().st_size > _MOST_BYTES:
        return set()
    return set(re.findall(r'^name = "([A-Za-z0-9_-]+)"\r?$', file.read_text("utf-8", "replace"), re.MULTILINE))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
