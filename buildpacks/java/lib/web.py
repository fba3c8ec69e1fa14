"""What an app runs: the one jar that the build made and that has a main class."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import jars
import project
from jars import Runnable
from project import Kind
from talk import BAD_SOURCE, Refusal, detail

_QUARKUS = ("target/quarkus-app/quarkus-run.jar", "build/quarkus-app/quarkus-run.jar")
_PLACES = {Kind.MAVEN: "target", Kind.GRADLE: "build/libs"}
_BESIDE = ("-sources.jar", "-javadoc.jar", "-tests.jar", "-plain.jar", "-test-fixtures.jar")
_WHOLE = ("-all.jar", "-jar-with-dependencies.jar", "-shaded.jar", "-runner.jar", "-exec.jar")
_HOW = {
    Kind.MAVEN: "In pom.xml: mainClass for maven-jar-plugin, or a plugin that makes one jar of all (spring-boot, shade).",
    Kind.GRADLE: "In build.gradle: a Main-Class in the jar's manifest, or a plugin that makes one jar of all (shadow).",
}


_WAR = (
    "A .war runs in a server: one that Spring Boot packs with it (spring-boot-maven-plugin: repackage), or one beside it, as "
    "in a Procfile with: web: java $JAVA_OPTS -jar target/dependency/webapp-runner.jar --port $PORT target/*.war"
)


def write_launch(layers: Path, app: Path, kind: Kind) -> None:
    """Raises Refusal when nobody says what to run."""
    if os.path.lexists(app / "Procfile"):
        return
    command = command_of(app, kind)
    words = json.dumps(["bash", "-c", command], ensure_ascii=True)
    (layers / "launch.toml").write_text(f'[[processes]]\ntype = "web"\ncommand = {words}\ndefault = true\n')
    detail(f"No Procfile: the web process is {command.removeprefix('exec ')}")


def command_of(app: Path, kind: Kind) -> str:
    if kind is Kind.JAR:
        jar = project.ready_jar(app)
        assert jar
        return _command(jar, app)
    for name in _QUARKUS:
        if (app / name).is_file():
            return f"exec java -Dquarkus.http.port=$PORT $JAVA_OPTS -jar {name}"
    made = _made(app, _PLACES[kind])
    found = [each for each in map(jars.runnable, made) if each]
    if len(found) == 1:
        return _command(found[0], app)
    if found:
        names = ", ".join(str(each.path.relative_to(app)) for each in found)
        one = found[0].path.relative_to(app)
        hint = f"Say which in a Procfile: web: java $JAVA_OPTS -jar {one}"
        raise Refusal(BAD_SOURCE, f"the build made {len(found)} jars that can be run: {names}", "", hint)
    others = ", ".join(str(each.relative_to(app)) for each in made) or f"{_PLACES[kind]}/ has none at all"
    raise Refusal(
        BAD_SOURCE,
        "the build made no jar that can be run, and there is no Procfile",
        f"without a Main-Class: {others}" if made else others,
        "",
        _WAR
        if made and all(each.suffix == ".war" for each in made)
        else f"{_HOW[kind]} Or say in a Procfile what to run.",
    )


def _made(app: Path, place: str) -> list[Path]:
    """Of the app itself, else of its modules. A jar of all (-all.jar) stands for the thin one beside it."""
    for pattern in (place, f"*/{place}"):
        found = [each for kind in ("jar", "war") for each in sorted(app.glob(f"{pattern}/*.{kind}"))]
        found = [each for each in found if not each.name.endswith(_BESIDE) and not each.name.startswith("original-")]
        whole = {each.name.replace(end, ".jar") for each in found for end in _WHOLE if each.name.endswith(end)}
        found = [each for each in found if each.name not in whole]
        if any(jars.runnable(each) for each in found) or (found and pattern == place and not _has_modules(app)):
            return found
    return found


def _has_modules(app: Path) -> bool:
    return "<modules>" in project.text_of(app / "pom.xml") or any(
        "include" in project.text_of(app / name) for name in project.GRADLE_FILES if name.startswith("settings")
    )


def _command(jar: Runnable, app: Path) -> str:
    """bash gives its place to java, so that java itself gets the signals."""
    port = " -Dserver.port=$PORT" if jar.spring else " -Dmicronaut.server.port=$PORT" if jar.micronaut else ""
    if jar.path.is_dir():
        path = shlex.quote(":".join([".", *jar.class_path]))
        return f"exec java{port} $JAVA_OPTS -cp {path} {shlex.quote(jar.main)}"
    return f"exec java{port} $JAVA_OPTS -jar {shlex.quote(str(jar.path.relative_to(app)))}"
