"""What a CycloneDX document must be: valid by the schema of its version, with nothing left over."""

from __future__ import annotations

import json
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def valid(document: object) -> Any:
    """`document`, once it has passed: bytes, text or what JSON makes of them."""
    text = document if isinstance(document, str) else document.decode() if isinstance(document, bytes) else None
    text = text if text is not None else json.dumps(document)
    found = json.loads(text)
    fault = JsonStrictValidator(SchemaVersion.from_version(found["specVersion"])).validate_str(text)
    assert fault is None, fault
    refs = [each["bom-ref"] for each in found["components"] if "bom-ref" in each]
    assert len(refs) == len(set(refs))
    return found


def versions(document: Any) -> dict[str, str]:
    return {each["name"]: each.get("version", "") for each in document["components"]}


def licences(document: Any) -> dict[str, str]:
    """By name, in one text each."""
    found = {}
    for each in document["components"]:
        given = each.get("licenses", [])
        words = [one.get("expression") or one["license"].get("id") or one["license"].get("name") for one in given]
        found[each["name"]] = ", ".join(words)
    return found
