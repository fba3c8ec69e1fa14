"""Maven: as on Heroku, `clean install` without the tests; what it fetched stays in a layer for builds only."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import distribution
import failures
import project
import proxies
import store
from talk import BAD_SOURCE, FAILED, Refusal, detail, run, step

_HIDDEN = re.compile(
    r"^\[INFO\] *(?:-+.*|BUILD FAILURE|Finished at.*|Scanning for.*|skip non existing.*|\d+ errors?|)$"
    r"|^\[INFO\] +(?:Using '|from pom.xml|Installing )"
    r"|^\[ERROR\]|^(?:\[INFO\] )?(?:Download(?:ing|ed)|Progress)\b|^\s"
)


def build(layers: Path, env: dict[str, str], work: Path) -> None:
    """Raises Refusal."""
    wrapped = Path(project.MAVEN_WRAPPER).is_file()
    home = distribution.ensure(layers, "maven", project.MAVEN_WRAPPER, env) if wrapped else _distributions_own()
    program = home / "bin/mvn"
    repository = layers / "repository"
    _forget_misses(repository)
    options = _words("MAVEN_CUSTOM_OPTS", "-DskipTests")
    goals = _words("MAVEN_CUSTOM_GOALS", "clean install")
    command = ["./mvnw" if Path("mvnw").is_file() else "mvn", *options, *goals]
    env = {**env, "MAVEN_HOME": str(home)}
    version = subprocess.run(
        [program, "--version", "-Dstyle.color=never"], env=env, capture_output=True, text=True, check=False
    ).stdout
    shown = re.search(r"Apache Maven ([0-9][\w.-]*)", version)
    step(f"Building with Maven {shown[1] if shown else ''}: {shlex.join(command[1:])}")
    if not repository.is_dir():
        detail("Fetching dependencies")
    argv = [
        str(program),
        "-B",
        "-Dstyle.color=never",
        f"-Dmaven.repo.local={repository}",
        *_settings(work),
        *options,
        *goals,
    ]
    code, said = run(argv, env, _HIDDEN)
    store.keep_cache(repository)
    if code:
        raise failures.of_maven(said, Path.cwd(), shlex.join(command))


def _distributions_own() -> Path:
    for folder in os.environ.get("PATH", "").split(":"):
        home = Path(folder, "../share/maven").resolve()
        if folder and (home / "bin/mvn").is_file():
            return home
    raise Refusal(FAILED, "there is no Maven in this build; the buildpack wherry/apt brings it")


def _settings(work: Path) -> list[str]:
    argv = []
    if text := proxies.maven_settings(os.environ):
        (work / "settings.xml").write_text(text)
        argv += ["-gs", str(work / "settings.xml")]
    named = os.environ.get("MAVEN_SETTINGS_PATH", "")
    if named and not Path(named).is_file():
        raise Refusal(BAD_SOURCE, f"MAVEN_SETTINGS_PATH names a file that is not there: {named[:100]}")
    if own := named or ("settings.xml" if Path("settings.xml").is_file() else ""):
        detail(f"Maven's settings are those of {own}")
        argv += ["-s", own]
    return argv


def _words(variable: str, default: str) -> list[str]:
    try:
        return shlex.split(os.environ.get(variable) or default)
    except ValueError as error:
        raise Refusal(BAD_SOURCE, f"{variable} cannot be read: {error}") from error


def _forget_misses(repository: Path) -> None:
    """Maven notes for a day what was not there; the pusher may have published it since."""
    if repository.is_dir():
        for note in repository.rglob("*.lastUpdated"):
            note.unlink()
