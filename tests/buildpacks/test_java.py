"""The Java buildpack's own decisions, its scripts really run. (Java and Maven are in tests/builds/test_real_java.)"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from wherry.settings import root_folder

HOME = root_folder() / "buildpacks/java"
WRAPPER = "gradle/wrapper/gradle-wrapper.properties"
HAVE = {"jre": "openjdk-([0-9]+)-jre-headless", "jdk": "openjdk-([0-9]+)-jdk-headless"}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    for name in ("app", "layers"):
        (tmp_path / name).mkdir()
    return tmp_path / "app"


def lay(app: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = app / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return app


def jar(path: Path, java: int = 17, **fields: str) -> Path:
    """A jar whose class files have the format of that Java."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["Manifest-Version: 1.0", *(f"{key.replace('_', '-')}: {value}" for key, value in fields.items()), "", ""]
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("META-INF/MANIFEST.MF", "\r\n".join(lines))
        name = fields.get("Start_Class", fields.get("Main_Class", "Main")).replace(".", "/")
        place = "BOOT-INF/classes/" if "Start_Class" in fields else ""
        made.writestr(f"{place}{name}.class", b"\xca\xfe\xba\xbe\x00\x00" + (java + 44).to_bytes(2, "big"))
    return path


def pom(inside: str) -> str:
    return f'<project xmlns="http://maven.apache.org/POM/4.0.0">{inside}</project>'


def detect(app: Path, **env: str) -> tuple[int, str, list[dict[str, object]]]:
    plan = app.parent / "plan.toml"
    plan.unlink(missing_ok=True)
    argv = [str(HOME / "bin/detect"), "/platform", str(plan)]
    given = {"PATH": os.environ["PATH"], **env}
    done = subprocess.run(argv, cwd=app, env=given, capture_output=True, text=True, check=False)
    requires = tomllib.loads(plan.read_text())["requires"] if plan.exists() else []
    return done.returncode, done.stdout + done.stderr, [each["metadata"] for each in requires if "metadata" in each]


def python(app: Path, script: str, **env: str) -> str:
    """A script with the buildpack's modules at hand; its output, or the refusal that it meets."""
    start = f"import sys; sys.path.insert(0, {str(HOME / 'lib')!r})\n"
    start += "import distribution, failures, gradle, launch, os, project, proxies, runtimes, talk, tools, trust, versions, web\n"
    start += (
        "from pathlib import Path\nfrom project import Kind\napp, layers = Path.cwd(), Path('../layers').resolve()\n"
    )
    body = "".join(f"    {line}\n" for line in script.split("\n"))
    caught = "except talk.Refusal as refusal:\n    print(refusal.code, *refusal.lines, sep=' | ')\n"
    given = {"PATH": os.environ["PATH"], **env}
    argv = [sys.executable, "-B", "-c", f"{start}try:\n{body}{caught}"]
    done = subprocess.run(argv, cwd=app, env=given, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def test_detect_takes_maven_gradle_and_jars_and_says_what_it_looks_for(app: Path) -> None:
    code, said, _ = detect(app)
    assert (code, said) == (100, "looks for pom.xml, build.gradle with a Gradle wrapper, or a jar that can be run\n")
    jar(app / "lib.jar")
    assert detect(app)[0] == 100
    jar(app / "tool.jar", Main_Class="Main")
    assert detect(app)[2] == [{"packages": ["default-jre-headless"], "launch": True}]
    lay(app, {"requirements.txt": ""})
    assert detect(app)[0] == 100, "a tool of an app in another language"
    lay(app, {"build.gradle.kts": ""})
    assert "gradle wrapper" in detect(app)[1]
    lay(app, {WRAPPER: ""})
    both = [{"packages": ["default-jre-headless"], "launch": True}, {"packages": ["default-jdk-headless"]}]
    assert detect(app)[2] == both
    lay(app, {"pom.xml": pom("")})
    assert detect(app)[2] == [*both, {"packages": ["maven"]}]
    lay(app, {".mvn/wrapper/maven-wrapper.properties": ""})
    assert detect(app)[2] == both


def test_detect_asks_for_a_named_java_with_the_words_for_its_absence(app: Path) -> None:
    lay(app, {"pom.xml": pom(""), ".mvn/wrapper/maven-wrapper.properties": "", ".java-version": "21\n"})
    words = {"what": "Java 21", "asked": ".java-version"}
    words["hint"] = "Ask for {have} there, or type: wherry config:set BP_JVM_VERSION={have}"
    assert detect(app)[2] == [
        {"packages": ["openjdk-21-jre-headless"], "launch": True, "have": HAVE["jre"], **words},
        {"packages": ["openjdk-21-jdk-headless"], "have": HAVE["jdk"], **words},
    ]


def test_a_ready_jar_for_a_java_newer_than_the_distributions_brings_its_own(app: Path) -> None:
    jar(app / "new.jar", java=25, Main_Class="a.Main")
    assert detect(app) == (0, "", [])
    jar(app / "new.jar", java=26, Main_Class="a.Main")
    assert detect(app)[2][0]["what"] == "Java 26"
    jar(app / "new.jar", java=25, Main_Class="org.x.Launcher", Start_Class="a.b.Main")
    assert detect(app) == (0, "", [])


@pytest.mark.parametrize(
    ("files", "env", "expected"),
    [
        ({"pom.xml": pom("")}, {}, "- any 0"),
        ({"pom.xml": "not xml"}, {}, "- any 0"),
        ({"system.properties": "# x\njava.runtime.version=11\n", ".java-version": "8"}, {}, "system.properties 11 11"),
        ({"system.properties": "java.runtime.version = 1.8\n"}, {}, "system.properties 8 8"),
        ({".java-version": "temurin64-17.0.5+8\n"}, {}, ".java-version 17.0.5 17"),
        ({".java-version": "11"}, {"BP_JVM_VERSION": "21.*"}, "BP_JVM_VERSION 21 21"),
        ({"pom.xml": pom("<properties><java.version>11</java.version></properties>")}, {}, "pom.xml >=11 0"),
        (
            {"pom.xml": pom("<properties><maven.compiler.target>1.8</maven.compiler.target></properties>")},
            {},
            "pom.xml >=8 0",
        ),
        (
            {
                "pom.xml": pom(
                    "<properties><j>21</j></properties><build><plugins><plugin><artifactId>maven-compiler-plugin"
                    "</artifactId><configuration><release>${j}</release></configuration></plugin></plugins></build>"
                )
            },
            {},
            "pom.xml >=21 21",
        ),
        (
            {
                "pom.xml": pom(
                    "<build><plugins><plugin><artifactId>maven-toolchains-plugin</artifactId><configuration><toolchains>"
                    "<jdk><version>11</version></jdk></toolchains></configuration></plugin></plugins></build>"
                )
            },
            {},
            "pom.xml (toolchain) 11 11",
        ),
        (
            {"build.gradle": "java { toolchain { languageVersion = JavaLanguageVersion.of(21) } }", WRAPPER: ""},
            {},
            "build.gradle (toolchain) 21 21",
        ),
        (
            {"build.gradle.kts": "// jvmToolchain(8)\nkotlin { jvmToolchain(17) }", WRAPPER: ""},
            {},
            "build.gradle (toolchain) 17 17",
        ),
        ({"build.gradle": "sourceCompatibility = JavaVersion.VERSION_1_8", WRAPPER: ""}, {}, "build.gradle >=8 0"),
        ({"build.gradle": "sourceCompatibility = '21'", WRAPPER: ""}, {}, "build.gradle >=21 21"),
    ],
)
def test_the_version_is_the_one_that_the_app_asks_for(
    app: Path, files: dict[str, str], env: dict[str, str], expected: str
) -> None:
    lay(app, files if any(name in files for name in ("pom.xml", WRAPPER)) else {**files, "pom.xml": pom("")})
    script = "w = versions.wanted(app, project.kind_of(app))\n"
    script += "print(w.asked or '-', ('>=' if w.least else '') + (w.version or 'any'), w.named)"
    assert python(app, script, **env) == expected


def test_a_java_that_is_not_there_is_told_with_what_is(app: Path) -> None:
    lay(app, {"pom.xml": pom(""), ".java-version": "17.0.5"})
    script = "w = versions.wanted(app, Kind.MAVEN)\nprint(w.met_by('17.0.5.1'), w.met_by('17.0.21'))\n"
    script += "raise versions.refusal(w, '17.0.21')"
    assert python(app, script) == (
        "True False\n69 | Java 17.0.5 is not available here: have 17.0.21 | .java-version asks for it |  | Ask for 17 there, "
        "or type: wherry config:set BP_JVM_VERSION=17"
    )


@pytest.mark.parametrize("text", ["$(id)", "17;id", "../17", "-x", "latest"])
def test_b15_a_version_that_is_none_is_refused_before_anything_is_fetched(app: Path, text: str) -> None:
    lay(app, {"pom.xml": pom(""), ".java-version": text})
    assert detect(app) == (0, "", [])
    assert python(app, "versions.wanted(app, Kind.MAVEN)").startswith(
        "65 | .java-version does not name a version of Java"
    )


def test_without_a_procfile_the_web_process_is_the_one_jar_with_a_main_class(app: Path) -> None:
    lay(app, {"pom.xml": pom("")})
    for name in ("a-sources.jar", "original-a.jar", "a-plain.jar"):
        jar(app / "target" / name, Main_Class="Main")
    jar(app / "target/lib.jar")
    script = "print(web.command_of(app, Kind.MAVEN))"
    told = python(app, script)
    assert told.startswith(
        "65 | the build made no jar that can be run, and there is no Procfile | without a Main-Class: target/lib.jar"
    )
    (app / "target/lib.jar").rename(app / "target/lib.war")
    assert "--port $PORT target/*.war" in python(app, script)
    jar(app / "target/a b.jar", Main_Class="org.springframework.boot.loader.launch.JarLauncher")
    assert python(app, script) == "exec java -Dserver.port=$PORT $JAVA_OPTS -jar 'target/a b.jar'"
    jar(app / "target/c.jar", Main_Class="Main")
    assert python(app, script).startswith(
        "65 | the build made 2 jars that can be run: target/a b.jar, target/c.jar |  | Say which"
    )


def test_the_jar_of_all_stands_for_the_thin_one_beside_it(app: Path) -> None:
    for name in ("app-1.jar", "app-1-all.jar"):
        jar(app / "build/libs" / name, Main_Class="Main")
    assert (
        python(app, "print(web.command_of(app, Kind.GRADLE))") == "exec java $JAVA_OPTS -jar build/libs/app-1-all.jar"
    )


def test_an_unpacked_jar_runs_with_its_class_path(app: Path) -> None:
    manifest = "Main-Class: a.b.Mai\r\n n\r\nClass-Path: lib/x.jar\r\n  lib/y.jar\r\n\r\nName: z\r\nMain-Class: no\r\n"
    (app / "META-INF").mkdir()
    (app / "META-INF/MANIFEST.MF").write_bytes(manifest.encode())
    assert (
        python(app, "print(web.command_of(app, Kind.JAR))") == "exec java $JAVA_OPTS -cp .:lib/x.jar:lib/y.jar a.b.Main"
    )
