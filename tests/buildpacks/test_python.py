"""The Python buildpack's own decisions, its scripts really run by sh. (Installing is in tests/builds/test_real_python.)"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from wherry.settings import root_folder

HOME = root_folder() / "buildpacks/python"
SAMPLES = root_folder() / "tests/apps"


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
        start += "".join(f'. "$home/lib/{name}.sh"\n' for name in ("talk", "inputs", "web", "version", "jar"))
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
        ({"poetry.lock": ""}, True),
        ({"Pipfile": ""}, True),
        ({"pyproject.toml": "[tool.poetry.dependencies]\n"}, True),
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
        ({"poetry.lock": "", "pyproject.toml": "", "Pipfile.lock": "", "requirements_txt": ""}, "poetry.lock"),
        ({"Pipfile": "", "Pipfile.lock": "", "requirements_txt": ""}, "Pipfile.lock"),
        ({"Pipfile": "", "requirements_txt": ""}, "requirements.txt"),
        ({"pyproject.toml": "", "requirements_txt": ""}, "requirements.txt"),
        ({"pyproject.toml": "[project]\n"}, "pyproject.toml"),
    ],
)
def test_the_strictest_list_of_packages_counts(app: App, files: dict[str, str], source: str) -> None:
    app.write(**files)
    assert app.script('choose_source; echo "$source"').split("\n")[-2] == source


@pytest.mark.parametrize(
    ("files", "cause", "command"),
    [
        ({"Pipfile": ""}, "the Pipfile has no Pipfile.lock beside it", "pipenv lock"),
        ({"poetry.lock": ""}, "poetry.lock has no pyproject.toml beside it", "git add pyproject.toml"),
        ({"uv.lock": ""}, "uv.lock has no pyproject.toml beside it", "git add pyproject.toml"),
        (
            {"pyproject.toml": "[tool.poetry.dependencies]\n"},
            "pyproject.toml is Poetry's, and has no poetry.lock beside it",
            "poetry lock",
        ),
    ],
)
def test_wishes_without_a_lock_are_refused_with_the_command_to_type(
    app: App, files: dict[str, str], cause: str, command: str
) -> None:
    app.write(**files)
    said = app.script("choose_source")
    assert said.startswith(f" !     {cause}\n !     \n !     Try: {command}")
    assert said.endswith("exit 65")


def test_the_log_says_which_files_do_not_count_and_what_is_deprecated(app: App) -> None:
    app.write(
        **{"uv.lock": "", "pyproject.toml": "", "poetry.lock": ""}, requirements_txt="", runtime_txt="python-3.11"
    )
    assert app.script("choose_source") == (
        "       There is a uv.lock, so it counts. Not read: poetry.lock, requirements.txt\n"
        "       Warning: runtime.txt is deprecated. Write the version into .python-version: 3.11\n"
    )


def pipfile(app: App, lock: object, pipfile: str = "", index: str = "") -> tuple[int, list[str]]:
    app.write(**{"Pipfile.lock": json.dumps(lock)}, **({"Pipfile": pipfile} if pipfile else {}))
    argv = ["python3", "-B", "-I", str(HOME / "lib/pipfile.py"), str(app.app), index]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()


def test_a_pipfile_lock_becomes_requirements_with_hashes_and_markers(app: App) -> None:
    packages = {
        "flask": {
            "version": "==3.1.2",
            "extras": ["async"],
            "markers": "python_version >= '3.9'",
            "hashes": ["sha256:aa", "sha256:bb"],
            "index": "pypi",
        },
        "tool": {"git": "https://example.com/tool.git", "ref": "abc", "subdirectory": "py"},
        "mine": {"path": "./mine", "editable": True},
        "wheel-of-it": {"file": "https://example.com/w.whl", "sys_platform": "== 'linux'"},
    }
    sources = [
        {"name": "pypi", "url": "https://example.com/a"},
        {"name": "own", "url": "https://${TOKEN}@example.com/b"},
    ]
    assert pipfile(app, {"_meta": {"sources": sources}, "default": packages}) == (
        0,
        [
            "--extra-index-url https://${TOKEN}@example.com/b",
            "flask[async]==3.1.2 ; python_version >= '3.9' --hash=sha256:aa --hash=sha256:bb",
            "tool @ git+https://example.com/tool.git@abc#subdirectory=py",
            f"-e {app.app}/./mine",
            "wheel-of-it @ https://example.com/w.whl ; sys_platform == 'linux'",
        ],
    )


@pytest.mark.parametrize(
    "packages",
    [
        {"a\n--index-url": {}},
        {"a": {"version": "==1\n-r /etc/passwd"}},
        {"a": {"version": "==1", "markers": "x\n-r y"}},
        {"a": {"version": "==1", "hashes": ["sha256:a b"]}},
        {"a": {"file": "https://x\n-r y"}},
        {"a": 1},
        [],
    ],
)
def test_t05_a_lock_cannot_say_more_than_requirements(app: App, packages: object) -> None:
    code, lines = pipfile(app, {"_meta": {}, "default": packages})
    assert (code, lines[0]) == (65, " !     Pipfile.lock cannot be read")


def test_a_pipfile_lock_of_another_pipfile_is_refused(app: App) -> None:
    wanted = '[packages]\nflask = "*"\n'
    digest = "5aca2a55a79b4d5b1b8a0d8f6fd1a4a10a1b0ef9d1c1ba0e1a60a9b1d6c9b7d4"
    code, lines = pipfile(app, {"_meta": {"hash": {"sha256": digest}}}, wanted)
    assert (code, lines[0]) == (65, " !     Pipfile.lock is out of step with the Pipfile")
    lock = json.loads((SAMPLES / "python-pipenv/Pipfile.lock").read_text())
    assert pipfile(app, lock, (SAMPLES / "python-pipenv/Pipfile").read_text())[0] == 0


@pytest.mark.parametrize(
    ("project", "lock", "differs"),
    [
        ('dependencies = ["A.b>=1", "c"]', '[{ name = "a-b" }, { name = "c" }]', ""),
        (
            'dependencies = ["c"]\n[project.optional-dependencies]\nx = ["a_b"]',
            '[{ name = "a-b" }, { name = "c" }]',
            "",
        ),
        (
            'dependencies = ["c", "new[x]; python_version > \'3\'"]',
            '[{ name = "c" }]',
            "new stands in pyproject.toml only",
        ),
        ("dependencies = []", '[{ name = "c" }]', "c stands in uv.lock only"),
    ],
)
def test_a_uv_lock_out_of_step_is_seen_without_its_index(app: App, project: str, lock: str, differs: str) -> None:
    package = (
        f'[[package]]\nname = "my-app"\nsource = {{ virtual = "." }}\n[package.metadata]\nrequires-dist = {lock}\n'
    )
    app.write(**{"pyproject.toml": f'[project]\nname = "My_App"\n{project}\n', "uv.lock": package})
    argv = ["python3", "-B", "-I", str(HOME / "lib/uvlock.py")]
    done = subprocess.run(argv, cwd=app.app, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1 if differs else 0, "")
    assert differs in done.stdout


@pytest.mark.parametrize(
    ("source", "said", "code", "cause"),
    [
        (
            "poetry.lock",
            "Invalid initial character for a key part (at line 1, column 3)",
            65,
            "poetry.lock cannot be read",
        ),
        ("poetry.lock", "Invalid TOML file /workspace/pyproject.toml: Empty", 65, "pyproject.toml cannot be read"),
        ("uv.lock", "error: Failed to parse `uv.lock`\n  cause: TOML parse error", 65, "uv.lock cannot be read"),
        (
            "uv.lock",
            "error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.",
            65,
            "uv.lock is out of step with pyproject.toml",
        ),
        (
            "requirements.txt",
            "error: Failed to fetch: http://x\n  cause: tcp connect error\n",
            75,
            "the package index cannot be reached",
        ),
        (
            "requirements.txt",
            "error: No solution found\n  cause: Because there is no version of flask==999.0 and you require",
            65,
            "there is no flask==999.0 in the package index",
        ),
        (
            "requirements.txt",
            "error: Failed to build `uwsgi==2.0`\n  cause: Call to `x` failed",
            65,
            "uwsgi==2.0 could not be built",
        ),
        ("pyproject.toml", "error: something new", 65, "pyproject.toml could not be installed"),
    ],
)
def test_an_installers_words_are_told_with_the_cause_first(
    app: App, source: str, said: str, code: int, cause: str
) -> None:
    (app.layers / "errors").write_text(said)
    argv = ["python3", "-B", "-I", str(HOME / "lib/failures.py"), source, str(app.layers / "errors")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0], done.stderr) == (code, f" !     {cause}", "")
    assert lines[1] == f" !     {said.splitlines()[0]}"
    assert lines[-2] == " !     "


def test_hooks_run_before_and_after_and_a_failing_one_ends_the_build(app: App) -> None:
    app.write(
        requirements_txt="x\n", bin__pre_compile="echo before > made_txt\n", bin__post_compile="#!/bin/sh\nexit 3\n"
    )
    app.have("python")
    (app.layers / "dependencies.toml").write_text(f'[metadata]\nkey = "{app.key()}"\npython = "3.11.2"\n')
    argv = [str(HOME / "bin/build"), str(app.layers), "/platform", "/plan"]
    done = subprocess.run(argv, cwd=app.app, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "-----> Running bin/pre_compile\n" in done.stdout
    assert " !     bin/post_compile failed with exit code 3\n" in done.stdout
    assert (app.app / "made_txt").read_text() == "before\n"


@pytest.mark.parametrize(
    ("files", "env", "wanted"),
    [
        ({}, {}, ""),
        ({".python-version": "# mine\n\n 3.12 \n3.11\n"}, {}, "3.12"),
        ({"runtime_txt": "python-3.10.4\n"}, {}, "3.10.4"),
        ({"pyproject.toml": '[project]\nrequires-python = ">=3.11, <4"\n'}, {}, ">=3.11,<4"),
        ({"pyproject.toml": "[project\n"}, {}, ""),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11.2"\n'}, {}, ">=3.11.2,<4"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "~3.11"\n'}, {}, ">=3.11,<3.12"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "*"\n'}, {}, ""),
        ({"Pipfile.lock": '{"_meta": {"requires": {"python_version": "3.12"}}}'}, {}, "3.12"),
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


def test_a_python_that_cannot_be_fetched_is_told_with_the_reason_and_with_those_that_can(app: App) -> None:
    app.write(**{".python-version": "3.12"})
    app.have("uv")
    (app.venv / "bin/uv").write_text(
        '#!/bin/sh\ncase "$*" in\n'
        "python\\ list*3.12) ;;\n"
        'python\\ list*) sed -n "s/^  .\\(cpython-[^\\"]*\\).: {/\\1 <download>/p" "$UV_PYTHON_DOWNLOADS_JSON_URL" ;;\n'
        "*) printf 'error: Failed to install cpython-3.12.1\\n  cause: Request failed\\n  cause: dns error\\n' >&2; exit 1 ;;\n"
        "esac\n"
    )
    said = app.script("choose_python", PATH=f"{app.venv}/bin:{os.environ['PATH']}")
    lines = [line.removeprefix(" !     ") for line in said.split("\n")]
    assert lines[0] == "       Looking for Python 3.12"
    assert re.fullmatch(r"Python 3\.12 is not available here: have 3\.\d+\.\d+, 3\.14\.3, 3\.13\.5", lines[1])
    assert lines[2:5] == ["error: Failed to install cpython-3.12.1", "cause: dns error", ""]
    assert lines[5].startswith("Ask for 3.")
    assert lines[6] == "exit 69"


@pytest.mark.parametrize(
    ("error", "variable"),
    [
        ("KeyError: 'PGDATABASE'", "PGDATABASE"),
        ("django.core.exceptions.ImproperlyConfigured: Set the SECRET_KEY environment variable", "SECRET_KEY"),
        ("decouple.UndefinedValueError: DEBUG not found. Declare it as envvar or define a default value.", "DEBUG"),
        ("KeyError: 'name'", ""),
        ("ModuleNotFoundError: No module named 'PIL'", ""),
    ],
)
def test_settings_that_want_a_config_var_are_told_with_the_command_that_sets_it(
    app: App, error: str, variable: str
) -> None:
    app.write(manage_py="")
    app.have("python")
    (app.venv / "bin/python").write_text(f'#!/bin/sh\n[ "$1" = -c ] || {{ echo "{error}"; exit 1; }}\n')
    said = app.script('. "$home/lib/hooks.sh"; collect_static').split("\n")
    assert said[0] == f" !     static files could not be collected: {error}"
    assert said[-2].startswith(
        f" !     {f'Set it: wherry config:set {variable}=VALUE. Or' if variable else 'Try: python '}"
    )
    assert said[-1] == "exit 65"


@pytest.mark.parametrize(
    ("module", "source", "content", "installs"),
    [
        ("import pkg_resources\n", "requirements.txt", "gunicorn==20.1.0\n", True),
        ("from pkg_resources import parse_version\n", "Pipfile.lock", "{}", True),
        ("try:\n    import pkg_resources\nexcept ImportError: pass\n", "requirements.txt", "", False),
        ("import pkg_resources\n", "requirements.txt", "setuptools==84.2.1\n", False),
        ("import pkg_resources\n", "uv.lock", "", False),
    ],
)
def test_packages_that_import_pkg_resources_get_a_setuptools_that_has_it(
    app: App, module: str, source: str, content: str, installs: bool
) -> None:
    site = app.venv / "lib/python3.11/site-packages"
    (site / "gunicorn").mkdir(parents=True)
    (site / "gunicorn/util.py").write_text(module)
    app.write(**{source: content})
    app.have("uv")
    (app.venv / "bin/uv").write_text('#!/bin/sh\necho "$*"\n')
    script = f'source={source}; . "$home/lib/install.sh"; keep_pkg_resources'
    said = app.script(script, PATH=f"{app.venv}/bin:{os.environ['PATH']}")
    assert ("setuptools<82" in said, "gunicorn imports pkg_resources" in said) == (installs, installs)


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
        (
            {"main_py": "from fastapi import FastAPI\napp = FastAPI()\n"},
            ["hypercorn"],
            "hypercorn main:app --bind 0.0.0.0:$PORT",
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
