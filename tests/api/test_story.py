"""The whole way through the doors: create, push with real git, release, config, scale, roll back."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.api.clone import Clone
from tests.api.house import House, eventually


@pytest.fixture
def clone(house: House, tmp_path: Path, request: pytest.FixtureRequest) -> Clone:
    name = "push-" + str(abs(hash(request.node.name)) % 10**8)
    house.create(name)
    return Clone(house, tmp_path / "clone", name)


def releases(house: House, clone: Clone) -> list[dict[str, object]]:
    path = f"/apps/{clone.name}/releases"
    return list(house.call("GET", path, headers={"Range": "version ..; order=desc"}).json)


def test_a_push_builds_releases_and_says_where_it_answers(house: House, clone: Clone) -> None:
    commit = clone.commit(Procfile="web: serve\n")
    code, said = clone.push()
    assert code == 0, said
    name = clone.name
    builds = house.call("GET", f"/apps/{name}/builds").json
    for line in (
        f"remote:        Build {builds[0]['number']} goes on if you leave it (Ctrl-C). "
        f"To see it again: wherry builds:output {builds[0]['number']}",
        f"remote: -----> Building {name} from {commit[:7]}",
        "remote: -----> Launching...",
        "remote:        Released v1",
        f"remote:        http://{name}.localhost:8300 deployed to Wherry",
    ):
        assert line in [each.rstrip() for each in said.split("\n")]
    (release,) = releases(house, clone)
    assert (release["version"], release["status"], release["current"]) == (1, "succeeded", True)
    assert release["commit"] == commit


def test_a_failed_build_refuses_the_push(house: House, clone: Clone) -> None:
    clone.commit(Procfile="web: serve\n", BREAK="")
    code, said = clone.push()
    assert code == 1
    assert "pre-receive hook declined" in said
    assert "remote:  !     the build broke" in said
    assert "line 7: nope" in said
    assert releases(house, clone) == []
    assert clone.git("ls-remote", "wherry").stdout == ""


def test_a_failed_rollout_says_so_loudly_and_the_push_is_stored(house: House, clone: Clone) -> None:
    clone.commit(Procfile="web: serve\n")
    clone.push()
    name = clone.name
    assert house.call("PATCH", f"/apps/{name}/config-vars", {"MODE": "deaf"}).status == 200
    eventually(lambda: releases(house, clone)[0]["status"] == "failed")
    commit = clone.commit(change="1")
    code, said = clone.push()
    assert code == 0
    assert "v3 was NOT deployed (not-listening). The push was stored; v1 still serves." in said
    assert f"wherry releases:output v3 -a {name}" in said
    assert "deployed to Wherry" not in said
    assert commit in clone.git("ls-remote", "wherry", "main").stdout


def test_b21_another_branch_is_stored_and_not_deployed(house: House, clone: Clone) -> None:
    clone.commit(Procfile="web: serve\n")
    code, said = clone.push("main:feature")
    assert code == 0
    assert "git push wherry feature:main" in said
    assert releases(house, clone) == []


def test_a_stranger_neither_reads_nor_pushes(house: House, clone: Clone, tmp_path: Path) -> None:
    name = clone.name
    stranger = Clone(house, tmp_path / "stranger", name, by="other")
    stranger.commit(Procfile="web: serve\n")
    code, said = stranger.push()
    assert code == 128
    assert "not found" in said
    assert releases(house, clone) == []


def test_git_without_a_token_is_asked_for_one(house: House, clone: Clone) -> None:
    name = clone.name
    answer = house.call("GET", f"/{name}.git/info/refs?service=git-upload-pack", by=None)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Wherry"'
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_client_that_goes_away_does_not_stop_the_build(house: House, clone: Clone) -> None:
    house.builder.go.clear()
    house.builder.began.clear()
    clone.commit(Procfile="web: serve\n", WAIT="")
    env = {"PATH": "/usr/bin:/bin", "HOME": "/", "GIT_TERMINAL_PROMPT": "0"}
    pushing = subprocess.Popen(
        ["git", "push", "-q", "wherry", "main"], cwd=clone.folder, env=env, start_new_session=True
    )
    assert house.builder.began.wait(60)
    os.killpg(pushing.pid, signal.SIGKILL)
    pushing.wait()
    house.builder.go.set()
    eventually(lambda: [each["status"] for each in releases(house, clone)] == ["succeeded"])


def test_rollback_makes_a_new_release_of_the_old_image_and_config(house: House, clone: Clone) -> None:
    clone.commit(Procfile="web: serve\n")
    clone.push()
    clone.commit(Procfile="web: serve2\n")
    clone.push()
    name = clone.name
    before = releases(house, clone)
    answer = house.call("POST", f"/apps/{name}/releases", {"release": before[1]["id"]})
    assert answer.status == 201
    assert (answer.json["version"], answer.json["description"]) == (3, "Rollback to v1")
    assert answer.json["image"] == before[1]["image"]
    eventually(lambda: releases(house, clone)[0]["status"] == "succeeded")
    log = house.call("GET", str(answer.json["output_stream_url"]).removeprefix(house.url), by=None)
    assert log.text.startswith("-----> Launching...\n")
    assert log.text.endswith("Released v3\n")
