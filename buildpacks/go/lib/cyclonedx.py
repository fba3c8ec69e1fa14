"""The bill of materials of a layer: CycloneDX 1.6, the same bytes for the same packages (buildpack.md
"Software-Bill-of-Materials"). The same file lies in each buildpack here that writes bills: a buildpack stands alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

Component = Mapping[str, object]
_EXPRESSION = re.compile(r"[ ()](OR|AND|WITH)[ (]")


def component(
    kind: str,
    name: str,
    version: str,
    *,
    group: str = "",
    licences: Sequence[str] = (),
    sha256: str = "",
    qualifiers: Mapping[str, str] | None = None,
    is_a: str = "library",
) -> Component:
    """`kind`: the type of its package URL (pypi, npm, …), "" for none; `group`: what stands before its name there."""
    made: dict[str, object] = {"type": is_a, "name": name}
    if group:
        made["group"] = group
    if version:
        made["version"] = version
    if kind:
        made["purl"] = purl(kind, name, version, group, qualifiers or {})
        made["bom-ref"] = made["purl"]
    words = [each.strip() for each in licences if each and each.strip()]
    if len(words) == 1 and _EXPRESSION.search(words[0]):
        made["licenses"] = [{"expression": words[0]}]
    elif words:
        made["licenses"] = [{"license": {"name": each}} for each in dict.fromkeys(words)]
    if re.fullmatch("[0-9a-f]{64}", sha256):
        made["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    return made


def purl(kind: str, name: str, version: str, group: str, qualifiers: Mapping[str, str]) -> str:
    """A package URL (purl-spec)."""
    path = [quote(each, safe="") for each in (*group.split("/"), name) if each]
    words = "&".join(f"{key}={quote(value, safe='')}" for key, value in sorted(qualifiers.items()) if value)
    return (
        f"pkg:{kind}/{'/'.join(path)}{'@' + quote(version, safe='') if version else ''}{'?' + words if words else ''}"
    )


def file_of(layer: Path) -> Path:
    return layer.with_name(f"{layer.name}.sbom.cdx.json")


def write(layer: Path, components: Iterable[Component]) -> None:
    """Beside the layer; `layer` may also be ``launch`` or ``build`` of the layers' folder."""
    found = {str(each.get("bom-ref") or json.dumps(each, sort_keys=True)): each for each in components}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [found[key] for key in sorted(found)],
    }
    file_of(layer).write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
