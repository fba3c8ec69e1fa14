"""What lies in the layer of gems, by the specification that RubyGems keeps of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cyclonedx

_FIELD = re.compile(r'^  s\.(name|version|platform) = (?:Gem::Version\.new\()?"([^"]+)"', re.MULTILINE)
_LICENCES = re.compile(r"^  s\.licenses? = \[?(.*?)\]?$", re.MULTILINE)
_WORD = re.compile(r'"([^"]+)"')


def write(layer: Path, home: Path) -> None:
    """`home`: the layer's folder for this Ruby."""
    cyclonedx.write(layer, [*_gems(home / "specifications"), *_of_git(home / "bundler/gems")])


def _gems(folder: Path) -> Iterator[cyclonedx.Component]:
    for file in sorted(folder.glob("*.gemspec")):
        text = file.read_text("utf-8", "replace")
        fields = dict(_FIELD.findall(text))
        given = _LICENCES.search(text)
        licences = _WORD.findall(given[1]) if given else []
        if "name" in fields:
            built = {"platform": fields["platform"]} if fields.get("platform", "ruby") != "ruby" else {}
            version = fields.get("version", "")
            yield cyclonedx.component("gem", fields["name"], version, licences=licences, qualifiers=built)


def _of_git(folder: Path) -> Iterator[cyclonedx.Component]:
    """Folders are named by the gem's repository and the first digits of its commit."""
    for each in sorted(folder.glob("*-*")):
        name, _, commit = each.name.rpartition("-")
        yield cyclonedx.component("", name, commit)
