"""What was compiled into the programs: each of them has the list of its modules in it, and `go version -m` shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cyclonedx


def components(shown: str) -> Iterator[cyclonedx.Component]:
    """`shown`: by `go version -m`. A module that another replaces (``=>``) is not in the program; that other one is."""
    lines = [line.split("\t") for line in shown.split("\n")]
    for number, words in enumerate(lines):
        if len(words) == 1 and (found := re.search(r": go([0-9]\S*)$", words[0])):
            yield cyclonedx.component("golang", "stdlib", found[1], licences=["BSD-3-Clause"])
        if len(words) < 4 or words[1] not in ("dep", "=>"):
            continue
        replaced = number + 1 < len(lines) and lines[number + 1][1:2] == ["=>"]
        path, version = words[2], words[3]
        if not replaced and not path.startswith((".", "/")):
            group, _, name = path.rpartition("/")
            yield cyclonedx.component("golang", name, version, group=group)


def write(programs: Path, shown: str) -> None:
    cyclonedx.write(programs, components(shown))
