"""Maven, Gradle, proxies and certificates of the Java buildpack, its scripts really run."""

from __future__ import annotations

import base64
import zipfile
from pathlib import Path

import pytest

from tests.buildpacks.test_java import WRAPPER, app, jar, lay, python
from tests.builds.elsewhere_kit import served

__all__ = ["app"]  # a fixture, which pytest finds here by name


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("[ERROR] Failed to execute goal: Could not find artifact a:b:jar:1 in central (https://x) -> [Help 1]", 65),
        ("[ERROR] a:b:jar:1 was not found in https://x during a previous attempt.", 65),
        ("[ERROR] Could not transfer artifact a:b:jar:1 from/to central (https://x): Connection refused", 75),
        ("[ERROR] Could not transfer artifact a:b:pom:1 from/to own (https://x): status code: 401, reason phrase", 65),
        ("[ERROR] Non-parseable POM /workspace/pom.xml: unexpected end", 65),
        ("[ERROR] Failed to execute goal org.x:y:1:run (default) on project z: it went wrong", 1),
        ("[ERROR] Source option 5 is no longer supported. Use 7 or later.", 65),
    ],
)
def test_mavens_words_tell_the_cause(app: Path, line: str, code: int) -> None:
    told = python(app, f"raise failures.of_maven(['[INFO] x', {line!r}], Path('/workspace'), 'mvn install')")
    assert told.startswith(f"{code} | ")
    assert line.removeprefix("[ERROR] ").removesuffix(" -> [Help 1]") in told


def test_compilers_words_are_told_with_file_and_line_once(app: Path) -> None:
    error = ["[ERROR] /workspace/src/A.java:[5,9] cannot find symbol", "  symbol:   class B", "[INFO] 1 error"]
    told = python(app, f"raise failures.of_maven({error * 2!r}, Path('/workspace'), 'mvn install')")
    assert told.startswith(
        "1 | the code does not compile | src/A.java:5:9: error: cannot find symbol |   symbol:   class B |  | Does"
    )
    error = ["/workspace/src/A.java:3: error: ';' expected", "  int a", "       ^", "1 error"]
    told = python(app, f"raise failures.of_gradle({error!r}, Path('/workspace'), './gradlew build')")
    assert told.startswith(
        "1 | the code does not compile | src/A.java:3: error: ';' expected |   int a |        ^ |  | Does"
    )
    error = ["e: file:///workspace/src/A.kt:3:5 Unresolved reference: x"]
    told = python(app, f"raise failures.of_gradle({error!r}, Path('/workspace'), './gradlew build')")
    assert "src/A.kt:3:5: error: Unresolved reference: x" in told
    error = ["* What went wrong:", "> Could not resolve a:b:1.", "   > Could not GET 'https://x'.", "* Try:", "> Run"]
    assert python(app, f"raise failures.of_gradle({error!r}, app, 'x')").startswith("75 | Gradle could not fetch")


def lay_tool(path: Path, program: str = "gradle-8.14/bin/gradle") -> None:
    """A distribution whose program says what it was given."""
    script = '#!/bin/sh\necho "> Task :x UP-TO-DATE"; echo "args $*"; mkdir -p build/libs; cp ../made.jar build/libs/app.jar\n'
    with zipfile.ZipFile(path, "w") as made:
        info = zipfile.ZipInfo(program)
        info.external_attr = 0o100755 << 16
        made.writestr(info, script)


def test_gradle_is_fetched_as_the_wrapper_says_once_and_runs_stage_where_there_is_one(app: Path) -> None:
    jar(app.parent / "made.jar", Main_Class="Main")
    script = "gradle.build(layers, dict(os.environ)); print(web.command_of(app, Kind.GRADLE))"
    mirror = app.parent / "mirror"
    mirror.mkdir()
    lay_tool(mirror / "gradle-8.14-bin.zip")
    with served(mirror) as (address, asked):
        url = address.replace(":", "\\:") + "/gradle-8.14-bin.zip"
        lay(app, {"build.gradle": "", WRAPPER: f"distributionBase=GRADLE_USER_HOME\ndistributionUrl={url}\n"})
        said = python(app, script).split("\n")
        assert said[0] == "-----> Getting gradle-8.14-bin.zip"
        assert "-----> Building with Gradle 8.14: build -x test" in said
        assert "       args --no-daemon --console=plain build -x test" in said
        assert said[-1] == "exec java $JAVA_OPTS -jar build/libs/app.jar"
        assert not any("UP-TO-DATE" in line for line in said)
        lay(app, {"build.gradle": "tasks.register('stage') { dependsOn 'build' }"})
        assert python(app, script).split("\n")[0] == "-----> Building with Gradle 8.14: stage"
        assert len(asked) == 1
        lay(app, {WRAPPER: f"distributionUrl={url}\ndistributionSha256Sum={'0' * 64}\n"})
        assert f"65 | {address}/gradle-8.14-bin.zip is another file than {WRAPPER} says" in python(app, script)
        lay(app, {WRAPPER: f"distributionUrl={url.replace('8.14', '9.9')}\n"})
        assert f"65 | {address}/gradle-9.9-bin.zip is not there" in python(app, script)


def test_a_distribution_that_cannot_be_reached_is_the_networks_fault_with_its_address(app: Path) -> None:
    url = "http://127.0.0.1:9/gradle-8.14-bin.zip"
    lay(app, {"build.gradle": "", WRAPPER: f"distributionUrl={url}\n"})
    told = python(app, "gradle.build(layers, dict(os.environ))")
    assert told.split("\n")[-1].startswith(f"75 | {url} could not be fetched | curl: (7)"), told
    lay(app, {WRAPPER: "distributionUrl=file:///etc/passwd\n"})
    assert python(app, "gradle.build(layers, {})").startswith("65 | ")


def test_proxies_reach_java_and_maven_and_passwords_no_log(app: Path) -> None:
    env = {"https_proxy": "http://me:p%40ss@proxy.example:3128", "no_proxy": "localhost,.corp.example,10.0.0.0/8"}
    assert python(app, "print(*proxies.java_options(os.environ), sep='\\n')", **env).split("\n") == [
        "-Dhttps.proxyHost=proxy.example",
        "-Dhttps.proxyPort=3128",
        "-Dhttp.nonProxyHosts=localhost|*.localhost|*.corp.example",
    ]
    settings = python(app, "print(proxies.maven_settings(os.environ))", **env, MAVEN_MIRROR_URL="https://m/?a&b")
    assert "<username>me</username><password>p@ss</password>" in settings
    assert "<mirrorOf>central</mirrorOf><url>https://m/?a&amp;b</url>" in settings
    assert "maven-default-http-blocker" in settings
    assert python(app, "print(repr(proxies.maven_settings({})))") == "''"


def test_mavens_wrapper_follows_the_operators_mirror(app: Path) -> None:
    mirror = app.parent / "mirror/org/apache/maven/apache-maven/3.9.9"
    mirror.mkdir(parents=True)
    lay_tool(mirror / "apache-maven-3.9.9-bin.zip", "apache-maven-3.9.9/bin/mvn")
    url = "https://elsewhere.example/maven2/org/apache/maven/apache-maven/3.9.9/apache-maven-3.9.9-bin.zip"
    lay(app, {"pom.xml": "", ".mvn/wrapper/maven-wrapper.properties": f"distributionUrl={url}\n"})
    script = "home = distribution.ensure(layers, 'maven', project.MAVEN_WRAPPER, os.environ)\n"
    script += "print(home.relative_to(layers), os.access(home / 'bin/mvn', os.X_OK))"
    with served(app.parent / "mirror") as (address, _asked):
        said = python(app, script, MVNW_REPOURL=address)
    assert said.split("\n")[-1] == "maven/apache-maven-3.9.9 True", said


def test_the_operators_authorities_are_for_the_build_and_in_no_layer(app: Path) -> None:
    ders = [b"a private authority", b"another one"]
    blocks = [base64.encodebytes(der).decode() for der in ders]
    bundle = app.parent / "bundle.pem"
    bundle.write_text("".join(f"-----BEGIN CERTIFICATE-----\n{each}-----END CERTIFICATE-----\n" for each in blocks))
    script = "java, work = runtimes.Java(Path('/java'), '17.0.1'), Path('../work').resolve()\nwork.mkdir()\n"
    script += "env = tools.environment(java, work)\nlaunch.keep_runtime(layers / 'jre', java)\n"
    script += "print(env['JAVA_TOOL_OPTIONS'].split(' ')[1])"
    assert python(app, script, SSL_CERT_FILE=str(bundle)) == f"-Djavax.net.ssl.trustStore={app.parent}/work/trusted"
    trusted = (app.parent / "work/trusted").read_bytes()
    assert all(der in trusted for der in ders)
    assert (app.parent / "layers/jre/env.launch/JAVA_TOOL_OPTIONS.prepend").is_file()
    for path in (app.parent / "layers").rglob("*"):
        assert path.is_dir() or not any(der in path.read_bytes() for der in ders), path


def test_a_bundle_that_cannot_be_read_is_told(app: Path) -> None:
    bundle = lay(app, {"bad.pem": "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n"}) / "bad.pem"
    told = python(app, "tools.environment(runtimes.Java(app, '17'), app)", SSL_CERT_FILE=str(bundle))
    assert told.startswith(f"1 | {bundle} has a certificate that cannot be read"), told
