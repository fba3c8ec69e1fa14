"""What packages came into a layer, by what each says of itself."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cyclonedx

_FORMAT = re.compile(r"^Format(?:-Specification)?:\s*https?://\S*(?:dep5|copyright-format)", re.MULTILINE)
_LICENCE = re.compile(r"^License:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_MOST_LICENCES = 12
_MOST_BYTES = 1024 * 1024
_SHOWN = "${Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${source:Version}\\n"


def components(debs: Path, layer: Path) -> Iterator[cyclonedx.Component]:
    """`layer`: where they were unpacked."""
    names = os.environ.get("CNB_TARGET_DISTRO_NAME", "debian"), os.environ.get("CNB_TARGET_DISTRO_VERSION", "")
    for deb in sorted(debs.glob("*.deb")):
        argv = ["dpkg-deb", f"--showformat={_SHOWN}", "--show", str(deb)]
        shown = subprocess.run(argv, check=True, capture_output=True, text=True, errors="replace").stdout
        name, version, machine, source, newer = (*shown.strip("\n").split("\t"), "", "", "", "", "")[:5]
        upstream = "" if source == name and newer == version else f"{source}@{newer}" if newer != version else source
        yield cyclonedx.component(
            "deb",
            name,
            version,
            group=names[0],
            licences=_licences(layer / "usr/share/doc" / name / "copyright"),
            qualifiers={"arch": machine, "distro": "-".join(filter(None, names)), "upstream": upstream},
        )


def _licences(file: Path) -> list[str]:
    """Short names of machine-readable copyright files (Debian's copyright-format 1.0)."""
    if file.is_symlink() or not file.is_file():
        return []
    with file.open("rb") as opened:
        text = opened.read(_MOST_BYTES).decode("utf-8", "replace")
    return list(dict.fromkeys(_LICENCE.findall(text)))[:_MOST_LICENCES] if _FORMAT.search(text) else []
