"""The samples, built for real: packages from the registries, the image run as an app is."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled
from wherry.flow.ports import Cancel

from tests.builds.real_world import copy
from tests.builds.yard import SAMPLES, Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]


def test_python_hello_is_built_and_a_code_change_installs_nothing(yard: Yard, sample: Path) -> None:
    copy("python-hello", sample)
    first = yard.build(sample)
    assert any("Installed" in line for line in yard.said), yard.said
    assert first.processes["web"].startswith("gunicorn ")
    with yard.running(first) as app:
        assert "Hello" in app.ask()
        assert app.stop()[0] == 0

    app_py = sample / "app.py"
    app_py.write_text(app_py.read_text().replace("Hello from a test", "Changed"))
    began = time.monotonic()
    second = yard.build(sample, previous=first)
    took = time.monotonic() - began
    print("code-only rebuild", took)
    assert yard.bill(second).keys() >= {"flask", "libc6"}
    assert not any("Installing" in line or "Added layer wherry/python" in line for line in yard.said), yard.said
    assert any("Unchanged layer wherry/python:dependencies" in line for line in yard.said), yard.said
    with yard.running(second) as app:
        assert "Changed" in app.ask()

    (sample / "requirements.txt").write_text("this-package-does-not-exist-anywhere==99.9\n")
    with pytest.raises(BuildFailed) as caught:
        yard.build(sample, previous=second)
    assert caught.value.kind is BuildFailure.BAD_SOURCE
    assert "this-package-does-not-exist-anywhere" in "\n".join(caught.value.lines())

    shutil.copyfile(SAMPLES / "python-hello/requirements.txt", sample / "requirements.txt")
    third = yard.build(sample, previous=second)
    assert third == second
    assert not any("Installing" in line for line in yard.said), yard.said
    assert list((yard.home / "builds").iterdir()) == []


def test_static_hello_is_served_by_nginx_and_reused(yard: Yard, sample: Path) -> None:
    copy("static-hello", sample)
    first = yard.build(sample)
    with yard.running(first) as app:
        page = app.ask()
        assert "200 OK" in page
        assert "Hello from a file!" in page
        assert "404" in app.ask("/nothing").split("\n")[0]
        assert "404" in app.ask("/.hidden").split("\n")[0]
        (etag,) = [line for line in page.split("\n") if line.startswith("ETag: ")]
        fresh = app.ask("/", "-H", f"If-None-Match: {etag.removeprefix('ETag: ')}")
        assert "304" in fresh.split("\n")[0]
        code, seconds = app.stop()
        assert code == 0
        assert seconds < 5
        assert '"GET / HTTP/1.1" 200' in app.logs()

    (sample / "public/style.css").write_text("h1 { color: gold; }\n")
    (sample / "public/deep").mkdir()
    (sample / "public/deep/page.html").write_text("x" * 2000)
    (sample / "project.toml").write_text(
        '[io.wherry.static]\nroot = "public"\nspa = true\nclean-urls = true\nerror-page = "e.html"\n'
    )
    second = yard.build(sample, previous=first)
    assert any("Unchanged layer wherry/apt:packages" in line for line in yard.said), yard.said
    with yard.running(second) as app:
        assert "gold" in app.ask("/style.css", "-H", f"If-None-Match: {etag.removeprefix('ETag: ')}")
        assert "Hello from a file!" in app.ask("/any/route/of/the/app")
        assert app.ask("/deep/page").endswith("x" * 2000)
        assert "Content-Encoding: gzip" in app.ask("/deep/page.html", "-H", "Accept-Encoding: gzip", "-o", "-", "-I")


def test_procfile_only_runs_every_process_and_any_command(yard: Yard, sample: Path) -> None:
    copy("procfile-only", sample)
    with (sample / "Procfile").open("a") as file:
        file.write('talk: echo "$GREETING from $0"; exit 5\n')
    image = yard.build(sample, GREETING="config at build")
    assert list(image.processes) == ["talk", "web"]
    with yard.running(image) as app:
        assert "200 OK" in app.ask()
    with yard.running(image, "-c", "exit 9") as app:
        assert "200 OK" in app.ask()  # arguments of a user go to the default process, after its own


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("bad-procfile", BuildFailure.BAD_SOURCE, ["Procfile:3: 'web' stands twice", "Procfile:6: 'empty' has no"]),
        ("nothing-detected", BuildFailure.NOTHING_DETECTED, ["requirements.txt", "index.html", "a Procfile"]),
        ("fails-to-build", BuildFailure.BAD_SOURCE, ["this-package-does-not-exist-anywhere"]),
    ],
)
def test_a_sample_that_cannot_be_built_says_why(yard: Yard, name: str, kind: BuildFailure, words: list[str]) -> None:
    with pytest.raises(BuildFailed) as caught:
        yard.build(SAMPLES / name)
    assert caught.value.kind is kind
    assert [word for word in words if word not in "\n".join(caught.value.lines())] == []


@pytest.mark.parametrize(
    ("files", "installs", "web"),
    [
        (
            {
                "pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["starlette", "uvicorn"]\n',
                "main.py": "from starlette.applications import Starlette\napp = Starlette()\n",
            },
            "pyproject.toml",
            "uvicorn main:app --host 0.0.0.0 --port $PORT",
        ),
        (
            {"requirements.txt": "-r base.txt\n", "base.txt": "gunicorn\n", "wsgi.py": "application = None\n"},
            "requirements.txt",
            "gunicorn wsgi:application --bind 0.0.0.0:$PORT",
        ),
    ],
)
def test_without_a_procfile_the_web_process_is_the_obvious_one(
    yard: Yard, sample: Path, files: dict[str, str], installs: str, web: str
) -> None:
    sample.mkdir()
    for name, content in files.items():
        (sample / name).write_text(content)
    image = yard.build(sample)
    assert any(f"Installing {installs}" in line for line in yard.said), yard.said
    assert dict(image.processes) == {"web": web}


def test_a_python_that_is_not_there_is_an_error_and_never_another_one(yard: Yard, sample: Path) -> None:
    copy("python-hello", sample)
    (sample / ".python-version").write_text("3.11.1\n")
    with pytest.raises(BuildFailed) as caught:
        yard.build(sample, UV_PYTHON_INSTALL_MIRROR="http://127.0.0.1:9/")
    assert caught.value.kind is BuildFailure.VERSION_NOT_AVAILABLE
    assert caught.value.message.startswith("Python 3.11.1 is not available here: have 3.11.")


def test_t13_t14_no_credential_is_in_reach_of_a_build(yard: Yard, sample: Path) -> None:
    sample.mkdir()
    (sample / "setup.py").write_text(
        "import os, pathlib, sys\n"
        "seen = repr(dict(os.environ)) + repr([p.read_bytes() for p in pathlib.Path('/proc').glob('[0-9]*/environ')])\n"
        "print('CANARY' in seen, sorted(os.listdir('/run')), file=sys.stderr)\n"
        "sys.exit(3)\n"
    )
    (sample / "requirements.txt").write_text(".\n")
    os.environ["SOME_CANARY"] = "CANARY"
    try:
        with pytest.raises(BuildFailed) as caught:
            yard.build(sample)
    finally:
        del os.environ["SOME_CANARY"]
    assert "False" in "\n".join(caught.value.lines())


def test_a_cancelled_build_leaves_nothing(yard: Yard, sample: Path) -> None:
    copy("procfile-only", sample)
    cancel = Cancel()

    def say(line: str) -> None:
        if "Buildpacks:" in line:
            cancel.cancel()

    with pytest.raises(Cancelled):
        yard.builder.build(yard.request(sample), say, cancel)
    assert list((yard.home / "builds").iterdir()) == []


def test_a09_a_second_attempt_sweeps_what_a_killed_one_left(yard: Yard, sample: Path) -> None:
    copy("procfile-only", sample)
    request = yard.request(sample, attempt=2)
    left = yard.home / "builds/yard-of-a-killed-worker"
    (left / "layers").mkdir(parents=True)
    image = yard.builder.build(request, yard.said.append, Cancel())
    assert image.processes
    assert list((yard.home / "builds").iterdir()) == []
    yard.builder.forget(request.app_id)
    assert not (yard.home / "caches" / str(request.app_id)).exists()


def test_a_build_takes_the_yard_that_was_laid_ahead_and_leaves_nothing_of_it(yard: Yard) -> None:
    builder = yard.builder
    builder.prepare()
    (waiting,) = (yard.home / "builds").glob("yard-*")
    image = builder.build(yard.request(SAMPLES / "procfile-only"), yard.said.append, Cancel())
    assert image.processes
    assert not waiting.exists()
    builder.prepare()
    (again,) = (yard.home / "builds").glob("yard-*")
    assert again != waiting
