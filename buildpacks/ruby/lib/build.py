"""The build of a Ruby app: Ruby, its gems, its assets, its web process."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import interpreter
import lock
import talk
import versions
import web
from bundle import Gems
from talk import BAD_SOURCE, Refusal


def main(layers: Path) -> int:
    try:
        build(layers)
    except Refusal as refusal:
        return talk.refuse(refusal)
    return 0


def build(layers: Path) -> None:
    wanted = versions.wanted(Path.cwd())
    ruby = interpreter.find(wanted.series, layers / "ruby", web.ENVIRONMENT)
    if wanted.engine or not wanted.met_by(ruby.version):
        raise versions.refusal(wanted, ruby.version)
    talk.step(f"Ruby {ruby.version}")
    if not Path("Gemfile.lock").is_file():
        raise Refusal(
            BAD_SOURCE,
            "there is no Gemfile.lock",
            "",
            "Write it and commit it. Try: bundle lock && git add Gemfile.lock",
        )
    gems = Gems(layers, ruby)
    gems.install()
    gems.keep()
    have = lock.gems_of(Path.cwd())
    web.precompile_assets(gems, have, layers)
    web.write_launch(layers, have)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
