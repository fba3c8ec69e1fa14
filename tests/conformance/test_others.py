"""Buildpacks of others as they are, in a package: rules 8, 17, 25 (distribution.md "Buildpackage")."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builds.elsewhere_kit import Package, lay, lay_composite
from tests.conformance.world import World

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

POSITIONS = """#!/usr/bin/env bash
set -eo pipefail
layers_dir=$1
env_dir=$2/env
plan_path=$3
if compgen -G "${env_dir}/*" >/dev/null; then
  for var in ${env_dir}/*; do declare "$(basename "$var")=$(<"$var")"; done
fi
echo "$GREETING from $CNB_STACK_ID with $(grep -c "\\[\\[entries\\]\\]" "$plan_path") entry"
mkdir -p "$layers_dir/tool/bin"
printf '#!/bin/sh\\necho "tool of $0"\\n' >"$layers_dir/tool/bin/tool"
chmod +x "$layers_dir/tool/bin/tool"
cat >"$layers_dir/tool.toml" <<EOL
[types]
launch = true
EOL
cat >>"$layers_dir/launch.toml" <<EOL
[[processes]]
type = "web"
command = "tool && echo"
args = ["$GREETING"]

[[processes]]
type = "direct"
command = "tool"
direct = true
EOL
"""
PLAN = '#!/usr/bin/env bash\ncat >>"$2" <<EOL\n[[{}]]\nname = "tool"\nEOL\n'


def test_rule25_a_composite_of_old_buildpacks_in_one_file_builds_unchanged(world: World, tmp_path: Path) -> None:
    """Written for Buildpack API 0.8: positional arguments, variables from files, a stack, commands as strings."""
    packs = {name: lay(tmp_path / name.replace("/", "_"), name, POSITIONS) for name in ("o/gives", "o/needs")}
    for name, folder in packs.items():
        file = folder / "buildpack.toml"
        file.write_text(file.read_text().replace('api = "0.10"', 'api = "0.8"') + '[[stacks]]\nid = "*"\n')
        (folder / "bin/detect").write_text(PLAN.format("provides" if name == "o/gives" else "requires"))
    packs["o/all"] = lay_composite(tmp_path / "all", "o/all", "o/gives", "o/needs")
    Package(("o/all", "1.0"), packs).write(world.app / "all.cnb")
    (world.app / "project.toml").write_text('[[io.buildpacks.group]]\nuri = "all.cnb"\n')
    world.order("web")
    stack = world.stack.build.env["CNB_STACK_ID"]
    assert world.make(GREETING="hello") == [f"hello from {stack} with {n} entry" for n in (1, 0)]
    world.order("web")
    assert [each["id"] for each in world.label("build.metadata")["buildpacks"]] == ["o/gives", "o/needs"]
    assert world.run(entry="direct") == (0, "tool of /layers/o_needs/tool/bin/tool\n")
