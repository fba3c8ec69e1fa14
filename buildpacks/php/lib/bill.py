"""What Composer installed, by its own list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cyclonedx


def write(vendor: Path) -> None:
    cyclonedx.write(vendor, _packages(vendor / "composer/installed.json"))


def _packages(file: Path) -> Iterator[cyclonedx.Component]:
    try:
        found = json.loads(file.read_text("utf-8", "replace"))
    except (OSError, ValueError, RecursionError):
        return
    listed = found.get("packages", []) if isinstance(found, dict) else found
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            continue
        group, _, name = each["name"].rpartition("/")
        given = each.get("license") or []
        licences = [given] if isinstance(given, str) else [one for one in given if isinstance(one, str)]
        yield cyclonedx.component("composer", name, str(each.get("version", "")), group=group, licences=licences)
