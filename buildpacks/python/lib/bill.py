"""What lies in the virtual environment, by the metadata of each package: `bill.py VENV`. And the Python that uv brought:
`bill.py --python LAYER VERSION`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import cyclonedx

_LONGEST = 100  # a longer one is the licence's text
_MOST_BYTES = 1024 * 1024


def main(words: list[str]) -> int:
    if words[0] == "--python":
        layer, version = Path(words[1]), words[2]
        cyclonedx.write(
            layer, [cyclonedx.component("generic", "python", version, licences=["PSF-2.0"], is_a="platform")]
        )
    else:
        cyclonedx.write(Path(words[0]), packages(Path(words[0])))
    return 0


def packages(venv: Path) -> Iterator[cyclonedx.Component]:
    for folder in sorted(venv.glob("lib/python3*/site-packages/*.dist-info")):
        fields = _fields(folder / "METADATA")
        name, version = fields.get("name", [""])[0], fields.get("version", [""])[0]
        if name and not _is_the_app(folder):
            normal = re.sub(r"[-_.]+", "-", name).lower()  # PyPA specifications, "Name normalization"
            yield cyclonedx.component("pypi", normal, version, licences=_licences(fields))


def _licences(fields: dict[str, list[str]]) -> list[str]:
    if expression := fields.get("license-expression"):
        return expression[:1]
    short = [each for each in fields.get("license", []) if len(each) <= _LONGEST and each.upper() != "UNKNOWN"]
    classified = [each for each in fields.get("classifier", []) if each.startswith("License :: ")]
    return short or [each.rpartition(" :: ")[2] for each in classified if each != "License :: OSI Approved"]


def _fields(file: Path) -> dict[str, list[str]]:
    """The header (PyPA specifications, "Core metadata"): first lines of fields, by their lower-case names."""
    found: dict[str, list[str]] = {}
    if not file.is_file():
        return found
    with file.open("rb") as opened:
        text = opened.read(_MOST_BYTES).decode("utf-8", "replace")
    lines = text.replace("\r\n", "\n").partition("\n\n")[0].split("\n")
    for number, line in enumerate(lines):
        key, sign, value = line.partition(":")
        goes_on = number + 1 < len(lines) and lines[number + 1].startswith((" ", "\t"))
        if sign and not line.startswith((" ", "\t")) and not (key.lower() == "license" and goes_on):
            found.setdefault(key.lower(), []).append(value.strip())
    return found


def _is_the_app(folder: Path) -> bool:
    """Installed from a folder of this machine (PyPA specifications, "Direct URL")."""
    try:
        given = json.loads((folder / "direct_url.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(given, dict) and "dir_info" in given


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
