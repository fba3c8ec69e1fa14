"""The Python buildpack's own decisions, its scripts really run by sh. (Installing is in tests/builds/test_real_builds.)"""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from wherry.settings import root_folder

HOME = root_folder() / "buildpacks/python"


class App:
    def __init__(self, folder: Path) -> None:
        self.app, self.layers = folder / "app", folder / "layers"
        self.venv = self.layers / "dependencies"
        for each in (self.app, self.venv / "bin"):
            each.mkdir(parents=True)

    def write(self, **files: str) -> None:
        for name, content in files.items():
            path = self.app / name.replace("__", "/").replace("_py", ".py").replace("_txt", ".txt")
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)

    def script(self, text: str, **env: str) -> str:
        """Runs a script with the buildpack's functions at hand; its output."""
        start = f"set -eu; home={HOME}; layers={self.layers}; venv={self.venv}; version=\n"
        start += "".join(f'. "$home/lib/{name}.sh"\n' for name in ("talk", "inputs", "web", "version"))
        given = {"PATH": os.environ["PATH"], **env}
        argv = ["/bin/sh", "-c", start + text]
        done = subprocess.run(argv, cwd=self.app, env=given, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr + (f"exit {done.returncode}" if done.returncode else "")

    def key(self, **env: str) -> str:
        return self.script('choose_source; fingerprint; echo "$key"', **env).split("\n")[-2]

    def have(self, *programs: str) -> None:
        for name in programs:
            (self.venv / "bin" / name).write_text("#!/bin/sh\n")
            (self.venv / "bin" / name).chmod(0o755)


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path)


@pytest.mark.parametrize(
    ("files", "passes"),
    [
        ({"requirements_txt": ""}, True),
        ({"uv.lock": ""}, True),
        ({"pyproject.toml": "[project]\n"}, True),
        ({"pyproject.toml": "[tool.ruff]\n"}, False),
        ({"app_py": ""}, False),
    ],
)
def test_detect_passes_for_files_that_name_packages(app: App, files: dict[str, str], passes: bool) -> None:
    app.write(**files)
    plan = app.layers / "plan.toml"
    done = subprocess.run([str(HOME / "bin/detect"), "/platform", str(plan)], cwd=app.app, check=False)
    assert done.returncode == (0 if passes else 100)
    if passes:
        assert tomllib.loads(plan.read_text()) == {"provides": [{"name": "python"}], "requires": [{"name": "python"}]}


def test_code_does_not_change_what_is_to_be_installed_and_all_else_does(app: App) -> None:
    app.write(requirements_txt="flask\n-r more/base.txt\n", more__base_txt="-c limits.txt\n", more__limits_txt="x<1\n")
    first = app.key()
    app.write(app_py="changed", other_txt="changed")
    assert app.key() == first
    seen = {first, app.key(CNB_STACK_ID="another"), app.key(CNB_TARGET_DISTRO_VERSION="13")}
    for name in ("more__limits_txt", "more__base_txt", "requirements_txt", "runtime_txt", "setup_py"):
        app.write(**{name: "changed: \n"})
        seen.add(app.key())
    assert len(seen) == 8


def test_files_that_include_each_other_end(app: App) -> None:
    app.write(requirements_txt="-r a.txt\n", a_txt="-rrequirements.txt\n--requirement=a.txt\n-r missing.txt\n")
    assert app.key() == app.key()


@pytest.mark.parametrize("line", [".", "./package", "package @ file:///workspace/x", "/workspace/x"])
def test_a_package_of_the_apps_own_files_is_installed_every_time(app: App, line: str) -> None:
    app.write(requirements_txt=f"{line}\n")
    assert app.key() != app.key()


def test_an_editable_package_is_not(app: App) -> None:
    app.write(requirements_txt="-e .\n")
    assert app.key() == app.key()


@pytest.mark.parametrize(
    ("files", "source"),
    [
        ({"uv.lock": "", "pyproject.toml": "", "requirements_txt": ""}, "uv.lock"),
        ({"pyproject.toml": "", "requirements_txt": ""}, "requirements.txt"),
        ({"pyproject.toml": ""}, "pyproject.toml"),
    ],
)
def test_the_strictest_list_of_packages_counts(app: App, files: dict[str, str], source: str) -> None:
    app.write(**files)
    assert app.script('choose_source; echo "$source"').split("\n")[-2] == source


@pytest.mark.parametrize(
    ("files", "env", "wanted"),
    [
        ({}, {}, ""),
        ({".python-version": "# mine\n\n 3.12 \n3.11\n"}, {}, "3.12"),
        ({"runtime_txt": "python-3.10.4\n"}, {}, "3.10.4"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.11, <4"\n'}, {}, ">=3.11,<4"),
        ({"pyproject.toml": "[project\n"}, {}, ""),
        ({".python-version": "3.12"}, {"BP_PYTHON_VERSION": "3.13"}, "3.13"),
    ],
)
def test_the_version_is_the_one_that_the_app_asks_for(
    app: App, files: dict[str, str], env: dict[str, str], wanted: str
) -> None:
    app.write(**files)
    assert app.script('wanted_python; echo "<$wanted>"', **env) == f"<{wanted}>\n"


@pytest.mark.parametrize("text", ["-x", "$(id)", "3.11;id", "a/b"])
def test_t05_a_version_that_is_none_is_refused(app: App, text: str) -> None:
    app.write(**{".python-version": text})
    said = app.script("wanted_python")
    assert said.startswith(" !     .python-version does not name a version of Python: ")
    assert said.endswith("exit 65")


@pytest.mark.parametrize(
    ("files", "programs", "web"),
    [
        ({"app_py": "app = Flask(__name__)\n"}, ["gunicorn"], "gunicorn app:app --bind 0.0.0.0:$PORT"),
        ({"app_py": "app = Flask(__name__)\n"}, [], ""),
        ({"app_py": "print()\n"}, ["gunicorn"], ""),
        ({"app_py": "    app = 1\n"}, ["gunicorn"], ""),
        ({"wsgi_py": "application: X = x\n"}, ["gunicorn"], "gunicorn wsgi:application --bind 0.0.0.0:$PORT"),
        (
            {"main_py": "from fastapi import FastAPI\napp = FastAPI()\n"},
            ["uvicorn", "gunicorn"],
            "uvicorn main:app --host 0.0.0.0 --port $PORT",
        ),
        ({"main_py": "from fastapi import FastAPI\napp = FastAPI()\n"}, ["gunicorn"], ""),
        ({"manage_py": "", "site__wsgi_py": ""}, ["gunicorn"], "gunicorn site.wsgi --bind 0.0.0.0:$PORT"),
        ({"app_py": "app = 1\n", "Procfile": "web: mine"}, ["gunicorn"], ""),
    ],
)
def test_the_web_process_is_set_only_when_there_is_no_doubt(
    app: App, files: dict[str, str], programs: list[str], web: str
) -> None:
    app.write(**files)
    app.have(*programs)
    said = app.script("default_web")
    launch = app.layers / "launch.toml"
    if not web:
        assert (said, launch.exists()) == ("", False)
        return
    (process,) = tomllib.loads(launch.read_text())["processes"]
    assert process == {"type": "web", "command": ["bash", "-c", web], "default": True}


def test_an_unchanged_app_runs_no_installer(app: App) -> None:
    app.write(requirements_txt="flask\n")
    app.have("python")
    key = app.key()
    (app.layers / "dependencies.toml").write_text(f'[metadata]\nkey = "{key}"\npython = "3.11.2"\n')
    env = {"PATH": "/usr/bin:/bin", "version": "a config var of the same name as ours"}
    argv = [str(HOME / "bin/build"), str(app.layers), "/platform", "/plan"]
    done = subprocess.run(argv, cwd=app.app, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "-----> Python 3.11.2\n       requirements.txt has not changed: its packages are used again\n"
    layer = tomllib.loads((app.layers / "dependencies.toml").read_text())
    assert layer["types"] == {"launch": True, "build": True, "cache": True}
    assert layer["metadata"] == {"key": key, "python": "3.11.2"}
    assert (app.venv / "env/PYTHONUNBUFFERED").read_text() == "1"
