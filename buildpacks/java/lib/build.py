"""The build of a Java app: Java, the app by Maven or Gradle, what its processes get."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bill
import gradle
import launch
import maven
import newer
import project
import runtimes
import talk
import tools
import versions
import web
from project import Kind
from talk import FAILED, Refusal


def main(layers: Path) -> int:
    try:
        build(layers, Path.cwd())
    except Refusal as refusal:
        return talk.refuse(refusal)
    return 0


def build(layers: Path, app: Path) -> None:
    kind = project.kind_of(app)
    if kind is None:
        raise Refusal(FAILED, f"nothing to build: this buildpack {project.LOOKS_FOR}")
    wanted = versions.wanted(app, kind)
    run = newer.ensure(layers / "java") if kind is Kind.JAR and newer.serves(wanted) else runtimes.runtime(wanted)
    talk.step(f"Java {run.version}")
    if kind is not Kind.JAR:
        with tempfile.TemporaryDirectory() as work:
            env = tools.environment(runtimes.compiler(wanted), Path(work))
            if kind is Kind.MAVEN:
                maven.build(layers, env, Path(work))
            else:
                gradle.build(layers, env)
    launch.keep_runtime(layers / "jre", run)
    if run.home.is_relative_to(layers / "java"):
        bill.runtime(layers / "java", run.version)
    bill.write(layers, app)
    web.write_launch(layers, app, kind)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
