"""The apt buildpack's grammar, its plan and its files by URL, its scripts really run. (apt itself is in
tests/builds/test_real_apt.)"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from wherry.settings import root_folder

from tests.builds.elsewhere_kit import served

HOME = root_folder() / "buildpacks/apt"
FROM_APTFILE = '[[entries]]\nname = "apt"\n[entries.metadata]\naptfile = true\n'
READ = """
import dataclasses, json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import wishes
print(json.dumps(dataclasses.asdict(wishes.read(Path(sys.argv[2]), Path.cwd()))))
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    for name in ("app", "layers"):
        (tmp_path / name).mkdir()
    return tmp_path / "app"


def write(app: Path, aptfile: str | bytes, plan: str = FROM_APTFILE) -> Path:
    (app / "Aptfile").write_bytes(aptfile.encode() if isinstance(aptfile, str) else aptfile)
    (app.parent / "plan.toml").write_text(plan)
    return app.parent / "plan.toml"


def read(app: Path, aptfile: str | bytes, plan: str = FROM_APTFILE) -> dict[str, list[object]]:
    argv = [sys.executable, "-B", "-c", READ, str(HOME / "lib"), str(write(app, aptfile, plan))]
    done = subprocess.run(argv, cwd=app, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def build(app: Path, aptfile: str | bytes, plan: str = FROM_APTFILE) -> tuple[int, str]:
    argv = [str(HOME / "bin/build"), str(app.parent / "layers"), "/platform", str(write(app, aptfile, plan))]
    done = subprocess.run(argv, cwd=app, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def deb(folder: Path, script: str) -> Path:
    """A small package of our own: a program, a link with an absolute target, a set-id file, a pkg-config file."""
    root = folder / "root"
    for name in ("DEBIAN", "usr/bin", "usr/lib/pkgconfig", "usr/lib/git-core", "etc"):
        (root / name).mkdir(parents=True)
    (root / "DEBIAN/control").write_text(
        "Package: tool\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <n@example.com>\nDescription: a tool\n"
    )
    (root / "usr/bin/tool").write_text(f"#!/bin/sh\n{script}\n")
    (root / "usr/bin/tool").chmod(0o4755)
    (root / "etc/also").symlink_to("/usr/bin/tool")
    (root / "usr/lib/libshell.so").symlink_to("../bin/env")
    (root / "usr/lib/pkgconfig/tool.pc").write_text("prefix=/usr\nlibdir=${prefix}/lib\n")
    argv = ["dpkg-deb", "--root-owner-group", "--build", str(root), str(folder / "tool.deb")]
    subprocess.run(argv, check=True, capture_output=True)
    return folder / "tool.deb"


@pytest.mark.parametrize(
    ("aptfile", "requires"), [(True, [{"name": "apt", "metadata": {"aptfile": True}}]), (False, None)]
)
def test_detect_provides_packages_and_asks_for_those_of_an_aptfile(app: Path, aptfile: bool, requires: object) -> None:
    if aptfile:
        (app / "Aptfile").touch()
    plan = app.parent / "plan.toml"
    subprocess.run([str(HOME / "bin/detect"), "/platform", str(plan)], cwd=app, check=True, capture_output=True)
    written = tomllib.loads(plan.read_text())
    assert (written["provides"], written.get("requires")) == ([{"name": "apt"}], requires)


def test_an_aptfile_names_packages_versions_files_and_repositories(app: Path) -> None:
    digest = "0" * 64
    found = read(
        app,
        "\ufeff# comment\r\njq libsodium23:amd64\r\n\r\n  graphviz=2.42.2-7+deb12u1   # pinned\r\n"
        f"https://example.com/a%20b/tool_1.0~rc1.deb#sha256={digest}\n"
        "http://example.com:8080/tool.deb # plain\n"
        ":repo:deb [signed-by=/workspace/key.gpg] https://example.com/debian bookworm main contrib\n",
    )
    assert found == {
        "run": [
            {
                "packages": ["jq", "libsodium23:amd64", "graphviz=2.42.2-7+deb12u1"],
                "what": "",
                "have": "",
                "asked": "",
                "hint": "",
            }
        ],
        "build": [],
        "debs": [
            f"https://example.com/a%20b/tool_1.0~rc1.deb#sha256={digest}",
            "http://example.com:8080/tool.deb",
        ],
        "repositories": ["deb [signed-by=/workspace/key.gpg] https://example.com/debian bookworm main contrib"],
    }


def test_b15_every_line_that_cannot_be_read_is_named_at_once(app: Path) -> None:
    bad = [
        "jq; id",
        "$(id)",
        "-o Dir::State=/tmp",
        "--reinstall",
        "Upper",
        "jq=",
        "a|b",
        "jq/bookworm",
        "ftp://example.com/x.deb",
        "https://example.com/tool.tar.gz",
        "https://example.com/tool.deb#sha256=12",
        "https://user:pw@example.com/tool.deb",
        ":repo:nothing",
        ":repo:deb file:///etc bookworm main",
        "\x1b[31mred",
        "pâte",
    ]
    code, said = build(app, "jq\n" + "\n".join(bad) + "\n")
    lines = said.split("\n")
    assert code == 65
    assert lines[0] == " !     the Aptfile has lines that cannot be read"
    numbered = [line.removeprefix(" !     Aptfile line ").partition(":")[0] for line in lines[1 : len(bad) + 1]]
    assert numbered == [str(number) for number in range(2, len(bad) + 2)]
    assert said.isascii()
    assert "\x1b" not in said


def test_b15_an_aptfile_that_is_no_text_is_refused(app: Path) -> None:
    code, said = build(app, b"\0\xff\xfe" * 100)
    assert (code, said.count("\n")) == (65, 4)


def test_other_buildpacks_ask_for_processes_or_for_builds_only(app: Path) -> None:
    plan = (
        '[[entries]]\nname = "apt"\n[entries.metadata]\npackages = ["a1", "b2"]\nlaunch = true\n'
        '[[entries]]\nname = "apt"\n[entries.metadata]\npackages = ["c3"]\nwhat = "C 3"\nhave = "c([0-9])"\n'
        'asked = "c.txt"\nhint = "Ask for {have}."\n'
    )
    found = read(app, "", plan)
    assert found["run"] == [{"packages": ["a1", "b2"], "what": "", "have": "", "asked": "", "hint": ""}]
    words = {"what": "C 3", "have": "c([0-9])", "asked": "c.txt", "hint": "Ask for {have}."}
    assert found["build"] == [{"packages": ["c3"], **words}]
    code, said = build(app, "", plan.replace("c3", "c3; id"))
    assert (code, said) == (1, " !     a buildpack asks for what is no package: 'c3; id'\n")


def test_a_file_by_url_is_checked_unpacked_and_set_right_without_its_scripts(app: Path, tmp_path: Path) -> None:
    with served(tmp_path) as (address, asked):
        digest = hashlib.sha256(deb(tmp_path, "echo I am the tool").read_bytes()).hexdigest()
        code, said = build(app, f"{address}/tool.deb#sha256={digest}\n")
        assert (code, said.split("\n")[0]) == (0, "-----> Debian packages: tool.deb")
        layer = tmp_path / "layers/packages"
        assert subprocess.run([layer / "etc/also"], capture_output=True, check=True).stdout == b"I am the tool\n"
        assert (layer / "usr/bin/tool").stat().st_mode & 0o7777 == 0o755
        assert (layer / "usr/lib/libshell.so").resolve() == Path("/usr/bin/env").resolve()
        assert f"prefix={layer}/usr\n" in (layer / "usr/lib/pkgconfig/tool.pc").read_text()
        assert (layer / "env/PATH.prepend").read_text() == f"{layer}/usr/bin"
        assert (layer / "env/GIT_EXEC_PATH.default").read_text() == f"{layer}/usr/lib/git-core"
        types = tomllib.loads((tmp_path / "layers/packages.toml").read_text())["types"]
        assert types == {"launch": True, "build": True, "cache": True}

        assert "as before" in build(app, f"{address}/tool.deb#sha256={digest}\n")[1]
        assert asked.count("/tool.deb") == 1
        code, said = build(app, f"{address}/tool.deb#sha256={'0' * 64}\n")
        assert code == 65
        assert f"{address}/tool.deb is another file than the Aptfile says" in said
        assert digest in said
        (tmp_path / "page.deb").write_text("<html>")
        assert build(app, f"{address}/page.deb\n")[0] == 65
        assert build(app, f"{address}/gone.deb\n")[0] == 65
    code, said = build(app, f"{address}/tool.deb\n")
    assert (code, f"{address}/tool.deb could not be fetched" in said) == (75, True)
    assert [path.name for path in (tmp_path / "layers").iterdir() if path.name.startswith(".apt")] == []

    code, _said = build(app, "# nothing any more\n")
    assert (code, list((tmp_path / "layers").iterdir())) == (0, [])


def test_what_was_fetched_before_is_used_when_its_server_is_gone(app: Path, tmp_path: Path) -> None:
    deb(tmp_path, "true")
    with served(tmp_path) as (address, _asked):
        assert build(app, f"{address}/tool.deb\n")[0] == 0
    toml = tmp_path / "layers/packages.toml"
    toml.write_text(toml.read_text().replace('key = "', 'key = "of last month '))
    code, said = build(app, f"{address}/tool.deb\n")
    assert (code, "those of the last build are used again" in said) == (0, True)
    assert "of last month" in toml.read_text()
