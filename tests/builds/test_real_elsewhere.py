"""Buildpacks of others, built for real: from the app, by URL, from a repository, from images; and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from wherry.domain.build_settings import BuildSettings
from wherry.domain.errors import BuildFailed, BuildFailure

from tests.builds.elsewhere_kit import Package, lay, lay_composite, repository, served, tarball
from tests.builds.yard import Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

PROCFILE = "web: tail -n +1 built-by; env | sort; {tool}exec python3 -m http.server $PORT\n"


@pytest.fixture
def app(sample: Path) -> Path:
    sample.mkdir()
    (sample / "Procfile").write_text("web: cat built-by; ls; tool-last\n")
    return sample


def said(yard: Yard, app: Path, **config: str) -> str:
    """What the app's web process prints, once it is built."""
    image = yard.build(app, **config)
    with yard.running(image) as running:
        assert running.engine.wait(running.id)["StatusCode"] == 0, running.logs()
        return running.logs()


def project(app: Path, text: str) -> None:
    (app / "project.toml").write_text(f'[_]\nschema-version = "0.2"\n{text}')


def test_an_inline_script_and_a_folder_of_the_app_build_it_together(yard: Yard, app: Path) -> None:
    lay(app / "packs/last", "app/last")
    (app / "docs").mkdir()
    (app / "docs/big.txt").write_text("not for the image")
    (app / "secret.key").write_text("not for the image")
    project(
        app,
        """
[io.buildpacks]
exclude = ["/docs/", "*.key", "/packs"]
colour = "blue"
[[io.buildpacks.build.env]]
name = "GREETING"
value = "from project.toml"
[[io.buildpacks.build.env]]
name = "BP_LEVEL"
value = "project"
[[io.buildpacks.pre.group]]
id = "app/inline"
[io.buildpacks.pre.group.script]
api = "0.10"
shell = "/bin/bash"
inline = '''
echo "       script says $GREETING and $BP_LEVEL, $BASH_VERSION"
echo "inline $GREETING $BP_LEVEL" >> built-by
'''
[[io.buildpacks.group]]
uri = "./packs/last"
""",
    )
    shown = said(yard, app, BP_LEVEL="config")
    assert shown.split("\n")[:2] == ["inline from project.toml config", "app/last"]
    assert shown.split("\n")[2:] == ["Procfile", "built-by", "project.toml", "tool of app/last", ""]
    log = "\n".join(yard.said)
    assert "Using app/last 1.0 from ./packs/last" in log
    assert "io.buildpacks.colour is not known here" in log
    assert "project.toml leaves out 5 files" in log
    assert "Buildpacks: app/inline 0.0.0, app/last 1.0, wherry/procfile" in log


def test_a_tarball_a_repository_and_the_platforms_own_are_one_group(yard: Yard, app: Path, tmp_path: Path) -> None:
    web = tmp_path / "web"
    web.mkdir()
    sha = tarball(lay(tmp_path / "a", "else/tarball"), web / "a.tgz")
    name, commit = repository(lay(tmp_path / "b", "else/last"), web)
    with served(web) as (url, asked):
        yard.sources = f"{url}/ docker://nowhere.example"
        yard.settings = BuildSettings(
            buildpacks=(f"{url}/a.tgz#sha256={sha}", f"{url}/{name}#main", "heroku/procfile"),
        )
        shown = said(yard, app)
        assert shown.split("\n")[:2] == ["else/tarball", "else/last"]
        assert f"/pack.git#main, commit {commit[:7]}" in "\n".join(yard.said)
        assert "heroku/procfile is built here by wherry/procfile" in "\n".join(yard.said)

        asked.clear()
        pinned = yard.settings.buildpacks[1].replace("#main", f"#{commit}")
        yard.settings = replace(yard.settings, buildpacks=(yard.settings.buildpacks[0], pinned, "wherry/procfile"))
        assert said(yard, app).split("\n")[:2] == ["else/tarball", "else/last"]
        assert asked == []


def test_a_composite_comes_as_a_file_and_as_an_image_with_all_its_members(
    yard: Yard, app: Path, tmp_path: Path
) -> None:
    folders = {
        "else/one": lay(tmp_path / "one", "else/one"),
        "else/last": lay(tmp_path / "last", "else/last"),
        "else/all": lay_composite(tmp_path / "all", "else/all", "else/one", "else/last"),
    }
    (folders["else/one"] / "bin/main").write_text((folders["else/one"] / "bin/build").read_text())
    (folders["else/one"] / "bin/main").chmod(0o755)
    (folders["else/one"] / "bin/build").unlink()
    (folders["else/one"] / "bin/build").symlink_to("main")
    package = Package(("else/all", "1.0"), folders)

    package.write(app / "all.cnb")
    project(app, '[io.buildpacks]\nexclude = ["*.cnb"]\n[[io.buildpacks.group]]\nuri = "all.cnb"\n')
    shown = said(yard, app)
    assert shown.split("\n")[:2] == ["else/one", "else/last"]
    assert "all.cnb" not in shown

    (app / "project.toml").unlink()
    (app / "all.cnb").unlink()
    digest = package.push(yard.registry, "buildpacks/all", "stable")
    for wanted, sources in (
        (f"docker://{yard.registry.address}/buildpacks/all@{digest}", f"docker://{yard.registry.address}"),
        ("docker:///buildpacks/all:stable", ""),
    ):
        yard.sources, yard.settings = sources, BuildSettings(buildpacks=(wanted,))
        assert said(yard, app).split("\n")[:2] == ["else/one", "else/last"]
        assert "Using else/all 1.0 from docker:" in "\n".join(yard.said)


def test_a_buildpack_of_the_app_reuses_its_layer_and_changes_with_the_app(yard: Yard, app: Path) -> None:
    build = """#!/bin/sh
set -eu
if grep -qs 'key = "1"' "$1/kept.toml"; then echo "       Reusing"; else echo "       Making"; rm -rf "$1/kept"; mkdir "$1/kept"; fi
echo made > "$1/kept/file"
printf '[types]\\nlaunch = true\\ncache = true\\n[metadata]\\nkey = "1"\\n' > "$1/kept.toml"
"""
    lay(app / "packs/mine", "app/mine", build)
    yard.settings = BuildSettings(buildpacks=("./packs/mine",))
    first = yard.build(app)
    assert "       Making" in yard.said
    (app / "packs/mine/bin/build").write_text(build + "echo '       Changed'\n")
    yard.build(app, previous=first)
    assert "       Reusing" in yard.said
    assert "       Changed" in yard.said
    assert not any("Added layer app/mine:kept" in line for line in yard.said), yard.said


def test_an_explicit_list_that_does_not_fit_the_app_is_not_replaced_by_what_would(yard: Yard, app: Path) -> None:
    yard.settings = BuildSettings(buildpacks=("heroku/python",))
    with pytest.raises(BuildFailed) as caught:
        yard.build(app)
    assert caught.value.kind is BuildFailure.NOTHING_DETECTED
    assert "that this app asks for" in caught.value.message
    assert "wherry/python: " in "\n".join(caught.value.lines())


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("wherry/nonsense", "there is no buildpack wherry/nonsense here"),
        ("./nowhere", "there is no such folder"),
        ("./bare", "it has no buildpack.toml"),
        ("./ours", "the buildpack wherry/procfile is the platform's own"),
        ("./linked", "secret is a link that leads out of its folder"),
        ("{url}/a.tgz#sha256=" + "0" * 64, "is not a place that buildpacks may come from here: have none"),
        ("docker:///buildpacks/none", "the registry has no image"),
    ],
)
def test_what_is_no_buildpack_of_the_app_fails_its_build_and_says_why(
    yard: Yard, app: Path, wanted: str, words: str
) -> None:
    (app / "bare").mkdir()
    (app / "bare/file").write_text("")
    lay(app / "ours", "wherry/procfile")
    lay(app / "linked", "app/linked")
    (app / "linked/secret").symlink_to("../Procfile")
    yard.settings = BuildSettings(buildpacks=(wanted.format(url="http://127.0.0.1:9"),))
    with pytest.raises(BuildFailed) as caught:
        yard.build(app)
    assert caught.value.kind is BuildFailure.BAD_SOURCE
    assert words in "\n".join(caught.value.lines())
    assert list((yard.home / "builds").iterdir()) == []
