"""The Python samples, built for real: each kind of lock, Django's static files, and every way to get it wrong."""

from __future__ import annotations

import platform
import subprocess
import time
import venv
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailure
from wherry.settings import root_folder

from tests.builds.real_world import copy, failure
from tests.builds.yard import SAMPLES, Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture(scope="session")
def uv(pytestconfig: pytest.Config) -> Path:
    """The buildpack's own uv, as a pusher has it."""
    assert pytestconfig.cache
    folder = Path(pytestconfig.cache.mkdir("wherry-uv"))
    if not (folder / "bin/uv").exists():
        venv.create(folder, clear=True, with_pip=True)
        pins = root_folder() / "buildpacks/python/lib/uv.txt"
        subprocess.run([folder / "bin/pip", "install", "-q", "--require-hashes", "-r", pins], check=True)
    return folder / "bin/uv"


def test_django_collects_its_static_files_and_a_code_change_installs_nothing(yard: Yard, sample: Path) -> None:
    copy("python-django", sample)
    kind, said = failure(yard, sample)
    assert kind is BuildFailure.BAD_SOURCE
    assert said.splitlines()[0].endswith("static files could not be collected: KeyError: 'SECRET_KEY'")
    assert "DISABLE_COLLECTSTATIC=1" in said

    first = yard.build(sample, SECRET_KEY="of the test")
    assert any("static file" in line and "copied" in line for line in yard.said), yard.said
    assert first.processes["web"] == "gunicorn site_of_test.wsgi --bind 0.0.0.0:$PORT"
    with yard.running(first, SECRET_KEY="of the test") as app:
        path = app.ask().rpartition("Hello from Django: ")[2].strip()
        assert path.startswith("/static/hello.")
        assert "color: teal" in app.ask(path)

    urls = sample / "site_of_test/urls.py"
    urls.write_text(urls.read_text().replace("Hello from", "Changed in"))
    began = time.monotonic()
    second = yard.build(sample, previous=first, SECRET_KEY="of the test")
    print("code-only rebuild", time.monotonic() - began)
    assert any("Unchanged layer wherry/python:dependencies" in line for line in yard.said), yard.said
    assert not any("Installing" in line or "Getting" in line for line in yard.said), yard.said
    with yard.running(second, SECRET_KEY="of the test") as app:
        assert "Changed in Django" in app.ask()

    yard.build(sample, previous=second, DISABLE_COLLECTSTATIC="1")
    assert "       DISABLE_COLLECTSTATIC is set: static files are not collected" in yard.said


def test_fastapi_is_served_by_uvicorn_without_a_procfile(yard: Yard) -> None:
    image = yard.build(SAMPLES / "python-fastapi")
    with yard.running(image) as app:
        assert '{"hello":"from FastAPI"}' in app.ask()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="pythons.json has none for other machines")
def test_a_python_that_uv_cannot_fetch_comes_from_mavens_repository(yard: Yard, sample: Path) -> None:
    copy("python-hello", sample)
    (sample / ".python-version").write_text("3.14\n")
    (sample / "app.py").write_text(
        "import ssl, sqlite3, sys\n"
        "from flask import Flask\n"
        "app = Flask(__name__)\n"
        "@app.route('/')\n"
        "def hello():\n"
        "    trusted = len(ssl.create_default_context().get_ca_certs()) > 9\n"
        "    return f'Hello from {sys.version_info[:2]}, trusts {trusted}'\n"
    )
    nowhere = {"UV_PYTHON_INSTALL_MIRROR": "http://127.0.0.1:9/"}
    first = yard.build(sample, **nowhere)
    assert any(line.startswith("-----> Getting Python 3.14.") for line in yard.said), yard.said
    with yard.running(first) as app:
        assert "Hello from (3, 14), trusts True" in app.ask()

    with (sample / "requirements.txt").open("a") as file:
        file.write("itsdangerous>=2\n")
    yard.build(sample, previous=first, **nowhere)
    assert any("Unchanged layer wherry/python:python" in line for line in yard.said), yard.said
    assert not any("Getting" in line for line in yard.said), yard.said


@pytest.mark.parametrize(
    ("name", "lock", "word"),
    [
        ("python-poetry", "poetry.lock", "Poetry"),
        ("python-pipenv", "Pipfile.lock", "Pipenv"),
        ("python-uv", "uv.lock", "uv"),
    ],
)
def test_a_lock_is_installed_as_it_stands_without_packages_of_development(
    yard: Yard, sample: Path, uv: Path, name: str, lock: str, word: str
) -> None:
    copy(name, sample)
    if lock == "uv.lock":
        subprocess.run([uv, "lock", "--quiet", "--no-config"], cwd=sample, check=True)
    first = yard.build(sample)
    assert any(f"Installing {lock} with uv" in line for line in yard.said), yard.said
    with yard.running(first) as app:
        assert f"Hello from {word}, Python 3, packages of development: False" in app.ask()
    app_py = sample / "app.py"
    app_py.write_text(app_py.read_text() + "\n")
    yard.build(sample, previous=first)
    assert f"       {lock} has not changed: its packages are used again" in yard.said
    assert any("Unchanged layer wherry/python:dependencies" in line for line in yard.said), yard.said


def test_a_uv_lock_out_of_step_is_refused(yard: Yard, sample: Path, uv: Path) -> None:
    copy("python-uv", sample)
    subprocess.run([uv, "lock", "--quiet", "--no-config"], cwd=sample, check=True)
    project = sample / "pyproject.toml"
    project.write_text(project.read_text().replace("gunicorn==23.0.0", "gunicorn==22.0.0"))
    kind, said = failure(yard, sample)
    assert kind is BuildFailure.BAD_SOURCE
    assert "uv.lock is out of step with pyproject.toml" in said.splitlines()[0]
    assert "Try: uv lock && git add uv.lock" in said


BROKEN = [
    (
        "python-poetry-out-of-step",
        BuildFailure.BAD_SOURCE,
        ["poetry.lock is out of step with pyproject.toml", "poetry lock"],
    ),
    (
        "python-pipenv-out-of-step",
        BuildFailure.BAD_SOURCE,
        ["Pipfile.lock is out of step with the Pipfile", "pipenv lock"],
    ),
    (
        "python-pipfile-without-lock",
        BuildFailure.BAD_SOURCE,
        ["the Pipfile has no Pipfile.lock beside it", "pipenv lock"],
    ),
    (
        "python-conflict",
        BuildFailure.DEPENDENCY_CONFLICT,
        [
            "the packages that requirements.txt asks for contradict each other",
            "flask==3.1.2 depends on werkzeug>=3.1.0",
        ],
    ),
    ("python-no-such-version", BuildFailure.VERSION_NOT_AVAILABLE, ["Python 2.7 is not available here: have 3.11."]),
    (
        "python-bad-requirements",
        BuildFailure.BAD_SOURCE,
        ["requirements.txt has a line that is no requirement", "this line is no requirement"],
    ),
    (
        "python-bad-hash",
        BuildFailure.BAD_SOURCE,
        ["itsdangerous==2.2.0 in the index is not the one whose hash", "Computed:"],
    ),
    (
        "fails-to-build",
        BuildFailure.BAD_SOURCE,
        ["there is no package this-package-does-not-exist-anywhere in the package index", "Correct its name"],
    ),
]


@pytest.mark.parametrize(("name", "kind", "words"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_python_sample_says_its_cause_first(
    yard: Yard, name: str, kind: BuildFailure, words: list[str]
) -> None:
    found, said = failure(yard, SAMPLES / name)
    assert (found, words[0] in said.splitlines()[0]) == (kind, True), said
    assert [word for word in words if word not in said] == []


def test_an_index_that_cannot_be_reached_is_the_networks_fault(yard: Yard, sample: Path) -> None:
    copy("fails-to-build", sample)
    kind, said = failure(yard, sample, UV_DEFAULT_INDEX="http://127.0.0.1:9/simple", UV_HTTP_RETRIES="0")
    assert kind is BuildFailure.NETWORK
    assert "the package index cannot be reached" in said.splitlines()[0]
