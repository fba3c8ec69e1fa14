"""The bill of materials of a root filesystem made of Debian packages: a CycloneDX document of dpkg's own records. Pure, but
for the licences, which it reads of ``usr/share/doc``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

BASE_LABEL = "io.buildpacks.base.sbom"
"""Of the run image: the diffID of the layer that has its bill (buildpacks RFC 0095)."""
BASE_FOLDER = "cnb/sbom/"

_FORMAT = re.compile(r"^Format(?:-Specification)?:\s*https?://\S*(?:dep5|copyright-format)", re.MULTILINE)
_LICENCE = re.compile(r"^License:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_MOST_LICENCES = 12
_MOST_BYTES = 1024 * 1024


def bill_of(root: Path, version: str) -> bytes:
    """Of the packages installed below `root`; `version`: of Debian, as "12". The same packages make the same bytes."""
    listed = sorted(_installed((root / "var/lib/dpkg/status").read_text("utf-8", "replace")), key=_name)
    components = [_component(each, root, version) for each in listed]
    system = {"type": "operating-system", "bom-ref": "os", "name": "debian", "version": version}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "operating-system", "name": "debian", "version": version}},
        "components": [system, *components],
    }
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).encode()


def _installed(status: str) -> Iterator[dict[str, str]]:
    """Paragraphs of dpkg's status (deb-control(5)); only first lines of fields matter here."""
    for paragraph in status.split("\n\n"):
        lines = (line.partition(":") for line in paragraph.split("\n") if not line.startswith(" "))
        fields = {key: value.strip() for key, sign, value in lines if sign}
        if fields.get("Status", "").endswith(" installed") and fields.get("Package") and fields.get("Version"):
            yield fields


def _name(fields: Mapping[str, str]) -> tuple[str, str]:
    return fields["Package"], fields.get("Architecture", "")


def _component(fields: Mapping[str, str], root: Path, version: str) -> dict[str, object]:
    name, have = fields["Package"], fields["Version"]
    source, _, newer = fields.get("Source", "").partition(" ")
    upstream = f"{source}@{newer.strip('()')}" if newer else source
    where = {"arch": fields.get("Architecture", ""), "distro": f"debian-{version}", "upstream": upstream}
    words = "&".join(f"{key}={quote(value, safe='')}" for key, value in where.items() if value)
    made: dict[str, object] = {
        "type": "library",
        "bom-ref": f"{name}:{where['arch']}",
        "name": name,
        "version": have,
        "purl": f"pkg:deb/debian/{quote(name, safe='')}@{quote(have, safe='')}?{words}",
    }
    if maintainer := fields.get("Maintainer"):
        made["publisher"] = maintainer
    if licences := _licences(root / "usr/share/doc" / name / "copyright"):
        made["licenses"] = [{"license": {"name": each}} for each in licences]
    return made


def _licences(file: Path) -> list[str]:
    """Short names of machine-readable copyright files; others say nothing that a program could read."""
    if file.is_symlink() or not file.is_file():
        return []
    with file.open("rb") as opened:
        text = opened.read(_MOST_BYTES).decode("utf-8", "replace")
    if not _FORMAT.search(text):
        return []
    found = list(dict.fromkeys(_LICENCE.findall(text)))
    return found[:_MOST_LICENCES]
