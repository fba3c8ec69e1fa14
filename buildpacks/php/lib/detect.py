"""The build plan: PHP, its extensions and nginx from the distribution, and Composer for builds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import wanted
from talk import Refusal


def main(plan: Path) -> int:
    try:
        requirements = wanted.requirements(Path.cwd())
    except (Refusal, ValueError):
        requirements = []  # the build says so, with the cause
    lines = ['[[provides]]\nname = "php"\n\n[[requires]]\nname = "php"']
    for metadata in requirements:
        lines.append('\n[[requires]]\nname = "apt"\n[requires.metadata]')
        lines += [f"{key} = {json.dumps(value)}" for key, value in metadata.items()]
    plan.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
