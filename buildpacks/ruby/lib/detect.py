"""The build plan: Ruby from the distribution, and what gems that are compiled need of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import versions
from lock import gems_of
from talk import Refusal

LIBRARIES = {
    "psych": (["libyaml-dev"], []),
    "sqlite3": (["libsqlite3-dev"], ["libsqlite3-0"]),
    "mysql2": (["default-libmysqlclient-dev"], ["libmariadb3"]),
}
"""Gem to what it is compiled against, and what it is run with; libpq is in the stack."""


def main(plan: Path) -> int:
    try:
        wanted = versions.wanted(Path.cwd())
    except Refusal:
        wanted = versions.Wanted()  # the build says so, with the cause
    name = f"ruby{wanted.series}"
    ask = {"packages": [name, f"{name}-dev"], "launch": True}
    if wanted.series:
        ask |= {"what": f"Ruby {wanted.words}", "have": "ruby([0-9]+[.][0-9]+)"}
        ask |= {"asked": wanted.asked, "hint": versions.hint(wanted, "{have}")}
    requires = [("ruby", {}), ("apt", ask)]
    gems = gems_of(Path.cwd())
    for gem, (build, run) in LIBRARIES.items():
        if gem in gems:
            requires.append(("apt", {"packages": build}))
            requires += [("apt", {"packages": run, "launch": True})] if run else []
    lines = ['[[provides]]\nname = "ruby"\n']
    for required, metadata in requires:
        lines.append(f'\n[[requires]]\nname = "{required}"')
        lines.append("[requires.metadata]" if metadata else "")
        lines += [f"{key} = {json.dumps(value)}" for key, value in metadata.items()]
    plan.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
