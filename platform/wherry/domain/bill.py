"""Bills of materials: the CycloneDX documents of an image's parts as one document of the whole (CycloneDX 1.6).

What parts say was written by code that we do not trust. Only fields that this module knows, of the shape that they must
have, come into the whole, so that it is valid whatever the parts are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

SPEC = "1.6"
_TYPES = frozenset(
    "application framework library container platform operating-system device device-driver firmware file "  # noqa: SIM905
    "machine-learning-model data cryptographic-asset".split()
)
_TEXTS = ("group", "name", "version", "description", "publisher", "copyright", "purl")
_HASHES = {
    "MD5": 32,
    "SHA-1": 40,
    "SHA-256": 64,
    "SHA-384": 96,
    "SHA-512": 128,
    "SHA3-256": 64,
    "SHA3-384": 96,
    "SHA3-512": 128,
}
_HEX = re.compile("[0-9a-fA-F]+")
SPDX_IDS = frozenset(
    "0BSD AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-2.0 BlueOak-1.0.0 BSD-2-Clause "  # noqa: SIM905
    "BSD-3-Clause BSD-4-Clause BSL-1.0 CC-BY-3.0 CC-BY-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 EPL-1.0 EPL-2.0 EUPL-1.2 "
    "GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ISC LGPL-2.1-only LGPL-2.1-or-later "
    "LGPL-3.0-only LGPL-3.0-or-later MIT MIT-0 MPL-1.1 MPL-2.0 MS-PL NCSA OpenSSL PHP-3.01 PostgreSQL PSF-2.0 "
    "Python-2.0 Ruby Unicode-3.0 Unicode-DFS-2016 Unlicense UPL-1.0 Vim W3C WTFPL X11 Zlib ZPL-2.1".split()
)
"""Of the list of SPDX, those that matter; others are given as names, which every reader takes."""
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Part:
    """`origin`: where it is from, as ``base`` or ``wherry/python dependencies``. `runs`: False for what was there for
    the build only.
    """

    origin: str
    document: Mapping[str, object]
    runs: bool = True


@dataclass(frozen=True, slots=True)
class Bill:
    """What an image has. `unread`: its documents that are no CycloneDX. `base`: whether its base has a bill."""

    parts: tuple[Part, ...] = ()
    unread: tuple[str, ...] = ()
    base: bool = True


@dataclass(frozen=True, slots=True)
class Subject:
    """What the whole is a bill of; `facts` become properties ``wherry:NAME``."""

    name: str
    version: str
    facts: Mapping[str, str] = field(default_factory=dict)


def whole(subject: Subject, bill: Bill, tool: str) -> dict[str, object]:
    """One document. Of components with the same package URL the first counts, in the order of the parts. `tool`: the
    version of who writes it.
    """
    root = f"app:{subject.name}"
    found = _Collected(root)
    for number, part in enumerate(bill.parts):
        found.take(number, part)
    facts = {**subject.facts, **({} if bill.base else {"base": "has no bill of materials"})}
    properties = [{"name": f"wherry:{key}", "value": value} for key, value in facts.items()]
    properties += [{"name": "wherry:unread", "value": path} for path in bill.unread]
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "wherry", "version": tool}]},
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": subject.name,
                "version": subject.version,
                "properties": properties,
            },
        },
        "components": found.components,
        "dependencies": [{"ref": root, "dependsOn": found.top()}, *found.dependencies()],
    }


class _Collected:
    def __init__(self, root: str) -> None:
        self.components: list[dict[str, object]] = []
        self._root = root
        self._refs = {root}
        self._edges: dict[str, set[str]] = {}

    def take(self, number: int, part: Part) -> None:
        known: dict[str, str] = {}
        for given in _flat(part.document.get("components"), _DEEPEST):
            component = _component(given, part)
            if component is None:
                continue
            old = given.get("bom-ref")
            ref = str(component.get("purl") or f"{number}:{old or len(self.components)}")
            if isinstance(old, str) and ref != self._root:
                known[old] = ref
            if ref not in self._refs:
                self._refs.add(ref)
                self.components.append({"bom-ref": ref, **component})
        for each in _tables(part.document.get("dependencies")):
            source = known.get(str(each.get("ref")))
            targets = each.get("dependsOn")
            if source and isinstance(targets, list):
                self._edges.setdefault(source, set()).update(known[one] for one in map(str, targets) if one in known)

    def top(self) -> list[str]:
        """What nothing else depends on."""
        below = {target for source, targets in self._edges.items() for target in targets if target != source}
        return sorted(self._refs - below - {self._root})

    def dependencies(self) -> list[dict[str, object]]:
        return [{"ref": ref, "dependsOn": sorted(targets)} for ref, targets in sorted(self._edges.items()) if targets]


def _component(given: Mapping[str, object], part: Part) -> dict[str, object] | None:
    kind, name = given.get("type"), given.get("name")
    if not isinstance(name, str) or not name:
        return None
    made: dict[str, object] = {"type": kind if isinstance(kind, str) and kind in _TYPES else "library"}
    for key in _TEXTS:
        value = given.get(key)
        if isinstance(value, str) and value:
            made[key] = value
    made["scope"] = "required" if part.runs else "excluded"
    if licences := _licences(given.get("licenses")):
        made["licenses"] = licences
    if hashes := list(_hashes(given.get("hashes"))):
        made["hashes"] = hashes
    made["properties"] = [{"name": "wherry:origin", "value": part.origin}]
    return made


def _licences(given: object) -> list[dict[str, object]]:
    """An expression stands alone (CycloneDX, "licenses")."""
    made: list[dict[str, object]] = []
    for each in _tables(given):
        expression, licence = each.get("expression"), each.get("license")
        if isinstance(expression, str) and expression:
            return [{"expression": expression}]
        if isinstance(licence, Mapping):
            text = licence.get("id") or licence.get("name")
            if isinstance(text, str) and text:
                made.append({"license": {"id": text} if text in SPDX_IDS else {"name": text}})
    return made


def _hashes(given: object) -> Iterator[dict[str, object]]:
    for each in _tables(given):
        kind, content = each.get("alg"), each.get("content")
        if not (isinstance(kind, str) and isinstance(content, str)):
            continue
        if _HASHES.get(kind) == len(content) and _HEX.fullmatch(content):
            yield {"alg": kind, "content": content}


def _flat(given: object, deepest: int) -> Iterator[Mapping[str, object]]:
    for each in _tables(given):
        yield each
        if deepest:
            yield from _flat(each.get("components"), deepest - 1)


def _tables(given: object) -> Sequence[Mapping[str, object]]:
    return [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []
