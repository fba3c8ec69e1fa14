"""What was compiled into the programs: the crates that cargo says it built or had built, with what their own Cargo.toml says.
Crates for build scripts and macros are among them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import cyclonedx

_FIELD = re.compile(r'^(name|version|license) = "([^"\n]*)"', re.MULTILINE)


def write(programs: Path, manifests: Iterable[str], app: Path, rust: str) -> None:
    """`manifests`: paths of Cargo.toml of crates that are not the app's own."""
    own = cyclonedx.component("generic", "rust-std", rust, licences=["MIT OR Apache-2.0"])
    cyclonedx.write(programs, [own, *_crates(manifests, _checksums(app / "Cargo.lock"))])


def _crates(manifests: Iterable[str], checksums: dict[tuple[str, str], str]) -> Iterator[cyclonedx.Component]:
    for path in sorted(set(manifests)):
        try:
            text = Path(path).read_text("utf-8", "replace")
        except OSError:
            continue
        package = text.partition("[package]")[2].partition("\n[")[0]
        fields = dict(_FIELD.findall(package))
        if name := fields.get("name"):
            version = fields.get("version", "")
            licences = [fields.get("license", "").replace("/", " OR ")]
            sha256 = checksums.get((name, version), "")
            yield cyclonedx.component("cargo", name, version, licences=licences, sha256=sha256)


def _checksums(lock: Path) -> dict[tuple[str, str], str]:
    """Of crates of registries, by name and version."""
    try:
        listed = tomllib.loads(lock.read_text("utf-8")).get("package", [])
    except (OSError, ValueError):
        return {}
    return {(each["name"], each["version"]): each["checksum"] for each in listed if "checksum" in each}
