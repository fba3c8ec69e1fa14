"""heroku.yml: what it says, and every fault of it at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from wherry.builds import container_plan
from wherry.builds.heroku_yml import HerokuYml, Recipe, Run, read
from wherry.domain.build_settings import BuildSettings
from wherry.domain.errors import BuildFailed, InvalidInput

WHOLE = b"""\xef\xbb\xbfsetup:\r
  config:
    A: b
build:
  docker:
    web: ./deploy/Dockerfile
    worker:
      dockerfile: Dockerfile
      target: jobs
  config:
    VERSION: 012
    SWITCH: on
release:
  image: worker
  command:
    - ./migrate.sh
run:
  web: bundle exec puma -p $PORT
  clock:
    command: [ruby, clock.rb]
    image: worker
"""


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read(text.encode())
    return list(caught.value.evidence) or [caught.value.message]


def test_a_whole_file_is_read_as_written() -> None:
    assert read(WHOLE) == HerokuYml(
        {"web": Recipe("deploy/Dockerfile"), "worker": Recipe("Dockerfile", "jobs")},
        {"VERSION": "012", "SWITCH": "on"},
        {
            "web": Run(("bundle exec puma -p $PORT",)),
            "clock": Run(("ruby", "clock.rb"), "worker"),
            "release": Run(("./migrate.sh",), "worker"),
        },
        ("setup is passed over: add-ons and config are set on the app itself.",),
    )
    assert read(None) == read(b"") == read(b"# nothing\n") == HerokuYml()


def test_b12_b15_every_fault_is_told_at_once_with_its_path() -> None:
    text = """
build:
  docker: {Web_1: Dockerfile, web: ../Dockerfile, worker: {target: x}, job: [a]}
  config: {1A: x, https_proxy: http://mine, GOOD: {a: b}}
  network: host
run:
  web: ""
  clock: {image: nowhere, command: run}
  release: migrate
"""
    assert sorted(faults(text)) == sorted(
        [
            "build.docker.Web_1: is not a process type (lower-case letters, digits and dashes)",
            "build.docker.web: '../Dockerfile' is not a path inside the app",
            "build.docker.worker.dockerfile: must be the path of a Dockerfile",
            "build.docker.job: must be a string",
            "build.docker.job: must be the path of a Dockerfile",
            "build.config.1A: is not the name of a variable",
            "build.config.https_proxy: not permitted: the platform's operator chooses it",
            "build.config.GOOD: must be a string",
            "run.web: has no command",
            "run.release: stands at the top of the file, not below run",
            "run.clock: image 'nowhere' is not among those of build.docker: have Web_1, web, worker, job",
            "release: says no image, and there are several: Web_1, web, worker, job",
        ]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run: {web: a, web: b}", "heroku.yml:1: 'web' stands twice"),
        ("a: &x [1]\nb: *x\n", "heroku.yml:1: anchors (& and *) are not taken"),
        ("run: " + "[" * 100_000, "more than 20 levels deep"),
        ("run:\n\tweb: a\n", "heroku.yml:2: found character '\\t'"),
        ("- a\n- b\n", "heroku.yml: is not a table"),
        ("? [a]\n: b\n", "heroku.yml:1: a key must be a word"),
        ("run: !!python/object/apply:os.system [id]\n", "run: must be a table"),
        ("run: {web: 'a\0b'}", "special characters are not allowed"),
    ],
)
def test_b15_what_yaml_can_do_beyond_tables_and_words_is_refused(text: str, words: str) -> None:
    began = time.monotonic()
    assert words in "\n".join(faults(text))
    assert time.monotonic() - began < 60


def test_b13_a_file_that_is_no_text_or_a_link_is_refused(tmp_path: Path) -> None:
    assert faults_of_bytes(b"\xff\xfe\x00") == "heroku.yml is not UTF-8 text: byte 0xff"
    (tmp_path / "heroku.yml").symlink_to("/etc/passwd")
    with pytest.raises(BuildFailed, match=r"heroku\.yml is not a regular file"):
        container_plan.wanted(tmp_path, BuildSettings())


def faults_of_bytes(content: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(content)
    return caught.value.message


def app(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_an_app_is_built_by_its_dockerfile_when_its_stack_or_one_of_its_files_says_so(tmp_path: Path) -> None:
    assert container_plan.wanted(app(tmp_path, Dockerfile="FROM scratch"), BuildSettings()) == ""
    assert container_plan.wanted(tmp_path, BuildSettings("container")) != ""
    app(tmp_path, app__json='{"stack": "container"}')
    assert "app.json" in container_plan.wanted(tmp_path, BuildSettings())
    assert container_plan.wanted(tmp_path, BuildSettings("wherry-12")) == ""
    app(tmp_path, app__json="[" * 100_000)
    assert container_plan.wanted(tmp_path, BuildSettings()) == ""
    app(tmp_path, heroku__yml="build: {docker: {web: Dockerfile}}")
    assert "heroku.yml" in container_plan.wanted(tmp_path, BuildSettings())


def test_processes_are_heroku_ymls_else_the_procfiles_else_the_images(tmp_path: Path) -> None:
    app(tmp_path, Dockerfile="FROM scratch")
    assert container_plan.plan(tmp_path).runs == {"web": Run((), "web")}
    app(tmp_path, Procfile="worker: work\nrelease: migrate\n")
    assert container_plan.plan(tmp_path).runs == {"worker": Run(("work",), "web"), "release": Run(("migrate",), "web")}
    app(tmp_path, heroku__yml="build: {docker: {web: Dockerfile}}\nrun: {web: serve}\n")
    assert container_plan.plan(tmp_path).runs == {"web": Run(("serve",), "web")}
    app(
        tmp_path,
        heroku__yml="build: {docker: {web: Dockerfile, job: Dockerfile}}\nrelease: {image: job}\nrun: {web: s}\n",
    )
    assert container_plan.plan(tmp_path).runs == {
        "web": Run(("s",), "web"),
        "job": Run((), "job"),
        "release": Run((), "job"),
    }
