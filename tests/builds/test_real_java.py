"""The Java samples, built for real: Maven with what it fetches from its own repository, and a jar that is ready."""

from __future__ import annotations

import json
import re
import time
import zipfile
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailure

from tests.builds.real_world import copy, failure
from tests.builds.yard import SAMPLES, Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

CODE = "src/main/java/sample/Hello.java"
BROKEN = [
    (
        "java-compile-error",
        BuildFailure.COMPILE_ERROR,
        ["the code does not compile", f"{CODE}:5:9: error: cannot find symbol", "symbol:   class Strin"],
    ),
    (
        "java-unknown-dependency",
        BuildFailure.BAD_SOURCE,
        ["there is no com.google.code.gson:gson:jar:99.9 in the repositories of this build"],
    ),
    (
        "java-no-jar",
        BuildFailure.BAD_SOURCE,
        ["no jar that can be run, and there is no Procfile", "without a Main-Class: target/broken-1.0.jar"],
    ),
]


def facts(answer: str) -> dict[str, object]:
    return dict(json.loads(answer.partition("\n\n")[2]))


def test_maven_builds_once_a_code_change_fetches_nothing_and_what_is_broken_is_told(yard: Yard, sample: Path) -> None:
    copy("java-maven", sample)
    first = yard.build(sample)
    assert first.processes["web"] == "exec java $JAVA_OPTS -jar target/hello-1.0.jar"
    with yard.running(first) as app:
        known = facts(app.ask())
        assert (known["says"], known["java"]) == ("Hello from Maven", 17)
        assert int(str(known["trusted"])) > 100, "the public authorities are trusted"
        code, seconds = app.stop()
        assert (code, seconds < 5) == (143, True), "java itself gets SIGTERM"

    one = "/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt"
    with yard.running(first, SSL_CERT_FILE=one, JAVA_TOOL_OPTIONS="-Xmx64m") as app:
        known = facts(app.ask())
        assert known["trusted"] == 1, app.logs()
        assert 48 <= int(str(known["heap"])) <= 64, "the app's own limit counts"

    (sample / CODE).write_text((sample / CODE).read_text().replace("Hello from Maven", "Changed"))
    began = time.monotonic()
    second = yard.build(sample, previous=first, MAVEN_CUSTOM_OPTS="--offline -DskipTests")
    print("code-only rebuild", time.monotonic() - began)
    assert yard.bill(second).keys() >= {"gson", "openjdk-17-jre-headless"}
    for layer in ("apt:packages", "java:jre"):
        assert any(f"Unchanged layer wherry/{layer}" in line for line in yard.said), "\n".join(yard.said)
    assert not any("Debian packages:" in line or "Added layer wherry" in line for line in yard.said), "\n".join(
        yard.said
    )
    with yard.running(second) as app:
        assert facts(app.ask())["says"] == "Changed"

    central = ""
    for name, expected, words in BROKEN:
        kind, said = failure(yard, SAMPLES / name)
        assert kind is expected, said
        for each in words:
            assert each in said, said
        central = central or (found[1] if (found := re.search(r" in central \((https://[^) ]+)\)", said)) else "")
    _builds_with_the_wrappers_maven(yard, sample, central.rstrip("/"))


def _builds_with_the_wrappers_maven(yard: Yard, app: Path, central: str) -> None:
    wrapper = app / ".mvn/wrapper/maven-wrapper.properties"
    wrapper.parent.mkdir(parents=True)
    url = f"{central}/org/apache/maven/apache-maven/3.9.9/apache-maven-3.9.9-bin.zip"
    wrapper.write_text(f"wrapperVersion=3.3.2\ndistributionUrl={url}\n")
    yard.build(app)
    assert "-----> Getting apache-maven-3.9.9-bin.zip" in yard.said
    assert "-----> Building with Maven 3.9.9: -DskipTests clean install" in yard.said, yard.said


def test_a_java_that_the_distribution_does_not_have_is_told_with_what_it_has(yard: Yard) -> None:
    kind, said = failure(yard, SAMPLES / "java-no-such-version")
    assert kind is BuildFailure.VERSION_NOT_AVAILABLE
    assert said.startswith("Java 21 is not available here: have 17\n")
    assert "pom.xml" in said
    assert "Ask for 17 there, or type: wherry config:set BP_JVM_VERSION=17" in said


def test_a_ready_jar_runs_on_the_distributions_java_and_one_made_for_a_newer_java_on_a_newer_one(
    yard: Yard, sample: Path
) -> None:
    copy("java-jar", sample)
    image = yard.build(sample)
    assert image.processes["web"] == "exec java $JAVA_OPTS -jar hello.jar"
    with yard.running(image) as app:
        assert "Hello from a jar, Java 17" in app.ask()

    with zipfile.ZipFile(SAMPLES / "java-jar/hello.jar") as old, zipfile.ZipFile(sample / "hello.jar", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[:6] + b"\0\x45" + content[8:] if name.endswith(".class") else content)
    image = yard.build(sample, previous=image)
    with yard.running(image) as app:
        assert "Hello from a jar, Java 25" in app.ask()
    yard.build(sample, previous=image)
    assert not any("Getting" in line for line in yard.said), "\n".join(yard.said)
