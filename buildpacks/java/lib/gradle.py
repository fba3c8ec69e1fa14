"""Gradle: the task `stage` where the build has one, else `build` without the tests."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import distribution
import failures
import project
import proxies
import store
from talk import BAD_SOURCE, Refusal, run, step

_HIDDEN = re.compile(
    r"^(?:> Task )?:\S+ (?:UP-TO-DATE|NO-SOURCE|SKIPPED)$|^Download |^(?:openjdk version|OpenJDK )|^FAILURE|^BUILD FAILED"
    r"|^e: |error: |^\* |^ |^> (?!Task)|^\d+ errors?$|^Run with --|^Execution failed for|^Could not determine the dep"
)
_STAGE = re.compile(r"\btask\s+stage\b|\b(?:register|create|task)\b(?:<[^>]*>)?\s*\(?\s*[\"']stage[\"']")


def build(layers: Path, env: dict[str, str]) -> None:
    """Raises Refusal."""
    home = distribution.ensure(layers, "gradle", project.GRADLE_WRAPPER, env)
    tasks = _tasks(Path.cwd())
    version = re.search(r"gradle-(.+?)(?:-bin|-all)?$", home.name)
    step(f"Building with Gradle {version[1] if version else home.name}: {shlex.join(tasks)}")
    user_home = layers / "gradle-home"
    user_home.mkdir(exist_ok=True)
    own = [*proxies.java_options(env, logins=True), env.get("GRADLE_OPTS", "")]
    env = {**env, "GRADLE_USER_HOME": str(user_home), "GRADLE_OPTS": " ".join(filter(None, own))}
    argv = [str(home / "bin/gradle"), "--no-daemon", "--console=plain", *tasks]
    code, said = run(argv, env, _HIDDEN)
    store.keep_cache(user_home)
    if code:
        raise failures.of_gradle(said, Path.cwd(), shlex.join(["./gradlew", *tasks]))


def _tasks(app: Path) -> list[str]:
    if given := os.environ.get("GRADLE_TASK", ""):
        try:
            return shlex.split(given)
        except ValueError as error:
            raise Refusal(BAD_SOURCE, f"GRADLE_TASK cannot be read: {error}") from error
    has_stage = any(_STAGE.search(project.text_of(app / name)) for name in project.GRADLE_FILES)
    return ["stage"] if has_stage else ["build", "-x", "test"]
