"""The static buildpack's settings and refusals, its scripts really run. (nginx serves in tests/builds/test_real_builds.)"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from wherry.settings import root_folder

HOME = root_folder() / "buildpacks/static"


def detect(app: Path, **env: str) -> tuple[int, str]:
    argv = [str(HOME / "bin/detect"), "/platform", str(app.parent / "plan.toml")]
    given = {"PATH": os.environ["PATH"], **env}
    done = subprocess.run(argv, cwd=app, env=given, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def settings(app: Path, **env: str) -> str:
    script = (
        f'set -eu; home={HOME}; . "$home/lib/settings.sh"; read_settings; echo "$root|$spa|$clean_urls|$error_page"'
    )
    given = {"PATH": os.environ["PATH"], **env}
    done = subprocess.run(["/bin/sh", "-c", script], cwd=app, env=given, capture_output=True, text=True, check=False)
    return done.stdout.strip()


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def lay(app: Path, **files: str) -> Path:
    for name, content in files.items():
        path = app / name.replace("__", "/").replace("_html", ".html").replace("_json", ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return app


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"index_html": ""}, 0),
        ({"public__index_html": ""}, 0),
        ({"dist__index_html": ""}, 0),
        ({"site__index_html": ""}, 100),
        ({"site__index_html": "", "static_json": '{"root": "site/"}'}, 0),
        ({"index_html": "", "static_json": '{"root": "site"}'}, 100),
        ({"index_html": "", "Procfile": "worker: x\n"}, 0),
        ({"index_html": "", "Procfile": "web: x\n"}, 100),
        ({}, 100),
    ],
)
def test_detect_passes_for_a_page_to_begin_with(app: Path, files: dict[str, str], code: int) -> None:
    assert detect(lay(app, **files))[0] == code


@pytest.mark.parametrize(
    ("files", "env", "expected"),
    [
        ({"index_html": ""}, {}, ".|||"),
        ({"public__index_html": ""}, {}, "public|||"),
        ({"static_json": '{"root": "x", "clean_urls": true, "error_page": "e.html"}'}, {}, "x||true|e.html"),
        ({"static_json": '{"root": "x", "routes": {"/**": "index.html"}}'}, {}, "x|true||"),
        ({"project.toml": '[io.wherry.static]\nroot = "y"\nspa = true\n'}, {}, "y|true||"),
        ({"project.toml": '[io.wherry.static]\nroot = "y"\n', "static_json": '{"root": "x"}'}, {}, "y|||"),
        ({"static_json": '{"root": "x"}'}, {"BP_STATIC_ROOT": "z", "BP_STATIC_SPA": "true"}, "z|true||"),
        ({"static_json": '{"root": "$(id) \'x\' $HOME"}'}, {}, "$(id) 'x' $HOME|||"),
    ],
)
def test_settings_come_from_variables_then_project_toml_then_static_json(
    app: Path, files: dict[str, str], env: dict[str, str], expected: str
) -> None:
    assert settings(lay(app, **files), **env) == expected


@pytest.mark.parametrize(
    "files",
    [
        {"static_json": "{"},
        {"static_json": "[]"},
        {"static_json": '{"root": 1}'},
        {"static_json": '{"root": "a\\nb"}'},
        {"static_json": '{"root": "../../etc"}'},
        {"static_json": '{"root": "/etc"}'},
        {"static_json": '{"root": "' + "[" * 20 + '"', "x": ""},
        {"project.toml": "[io.wherry.static]\nspa = 1\n"},
    ],
)
def test_settings_that_cannot_be_are_refused_by_the_build_with_the_cause_first(
    app: Path, files: dict[str, str]
) -> None:
    lay(app, index_html="", **files)
    assert detect(app) == (0, "")
    argv = [str(HOME / "bin/build"), str(app.parent), "/platform", "/plan"]
    done = subprocess.run(argv, cwd=app, capture_output=True, text=True, check=False)
    assert done.returncode == 65
    assert done.stdout.startswith(" !     ")
    assert done.stderr == ""
