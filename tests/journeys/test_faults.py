"""kill -9 of each process at each stage of a push: what was acknowledged stays, the old serves, all heals by itself."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.journeys.harness import App, Platform, eventually

STAGES = ("Building", "Exporting", "Launching")


@pytest.fixture(scope="module")
def app(platform: Platform) -> App:
    app = platform.create("faults", "procfile-only")
    app.push()
    return app


def push_until(app: App, stage: str) -> subprocess.Popen[str]:
    """A push that has just printed a line with `stage`."""
    push = app.start_push()
    assert push.stdout
    for line in push.stdout:
        if stage in line:
            return push
    raise AssertionError(f"the push ended before '{stage}'")


def settle(app: App, text: str) -> None:
    """After any fault: pushing again is enough, the new body answers, and there is one succeeded release at the top."""
    app.push("+main:main", check=False)
    eventually(lambda: text in app.get()[1])
    eventually(lambda: app.releases()[0]["status"] == "succeeded")
    numbers = [row["version"] for row in app.releases()]
    assert numbers == sorted(set(numbers), reverse=True)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("process", ["worker", "web", "registry"])
def test_a08_a09_a14_a18_a45_a_killed_process_loses_nothing(app: App, process: str, stage: str) -> None:
    text = f"{process} at {stage}"
    app.say(text)
    with push_until(app, stage) as push:
        app.platform.kill(process)
        assert app.get()[0] == 200, "the old release must go on serving"
        push.communicate(timeout=180)
    app.platform.await_ready()
    settle(app, text)


def test_what_is_printed_while_no_worker_lives_is_told_once(platform: Platform) -> None:
    app, numbers = platform.create("counting", "procfile-only"), [str(each) for each in range(1, 81)]
    app.push()
    counter = "for each in $(seq 80); do echo number $each.; sleep 0.05; done"
    app.write("Procfile", f"web: exec python3 server.py\nrelease: {counter}\n")
    app.commit("Count")
    worker = platform.pid("worker")  # asked beforehand: the phase waits for nobody
    with push_until(app, "number 5.") as push:
        os.killpg(worker, signal.SIGKILL)
        app.wherry("run:detached", counter.replace("number", "alone"))
        assert push.stdout
        said = push.stdout.read()
    assert push.returncode == 0, said
    assert re.findall(r"number (\d+)\.", said) == numbers[5:]
    assert re.findall(r"^ +number (\d+)\.$", app.wherry("releases:output").out, re.MULTILINE) == numbers
    eventually(lambda: re.findall(r"alone (\d+)\.", app.wherry("logs", "-n", "1000").out) == numbers)


def test_a33_a_killed_router_comes_back_with_its_routes(app: App) -> None:
    before = app.get()
    app.platform.kill("router")
    eventually(lambda: _answer(app) == before)


def test_the_apps_outlive_the_control_plane(app: App) -> None:
    before = app.get()
    supervisor = app.platform.pid("supervisor")
    os.kill(supervisor, signal.SIGKILL)
    for name in ("web", "worker", "registry"):
        app.platform.kill(name)
    assert app.get() == before
    app.platform.up()
    assert app.get() == before
    assert app.platform.pid("supervisor") != supervisor


def test_a01_a_killed_receive_pack_moves_no_ref(app: App) -> None:
    head = app.git("ls-remote", "wherry", "refs/heads/main").out
    history = app.history()
    app.say("receive-pack was killed")
    with push_until(app, "Building") as push:
        for pid in _receiving(app.platform):
            os.kill(pid, signal.SIGKILL)
        push.communicate(timeout=120)
        assert push.returncode != 0
    assert app.git("ls-remote", "wherry", "refs/heads/main").out == head
    assert app.history() == history
    settle(app, "receive-pack was killed")


def test_a02_a_client_that_goes_away_leaves_a_build_but_no_release_without_its_ref(app: App) -> None:
    app.say("client went away")
    with push_until(app, "Building") as push:
        push.kill()
    settle(app, "client went away")


def test_a04_a05_two_pushes_at_once_end_with_one_winner(app: App, platform: Platform) -> None:
    other = App(platform, app.name, platform.user / "faults-other")
    platform.run("cp", "-R", str(app.folder), str(other.folder))
    before = app.releases()
    app.say("one of two")
    other.say("two of two")
    with push_until(app, "Building") as first:
        second = other.push(check=False)
        said, _ = first.communicate(timeout=180)
    assert (first.returncode == 0) + (second.code == 0) == 1, said + second.all
    winner = "one of two" if first.returncode == 0 else "two of two"
    assert winner in app.get()[1]
    assert len(app.releases()) == len(before) + 1
    app.git("fetch", "-q", "wherry")
    app.git("reset", "-q", "--hard", "wherry/main")


def test_a07_an_app_destroyed_during_its_build_leaves_nothing(platform: Platform) -> None:
    app = platform.create("vanishing", "procfile-only")
    with push_until(app, "Building") as push:
        platform.wherry("apps:destroy", "-a", "vanishing", "--confirm", "vanishing")
        push.communicate(timeout=180)
        assert push.returncode != 0
    eventually(lambda: app.get()[0] == 404)
    eventually(lambda: not _containers(app.name))


def _receiving(platform: Platform) -> list[int]:
    """The receive-packs of the platform: they run in its repositories."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            inside = (process / "cwd").readlink().is_relative_to(platform.home / "repos")
            receives = b"receive-pack" in (process / "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        if inside and receives:
            found.append(int(process.name))
    assert found
    return found


def _answer(app: App) -> tuple[int, str]:
    try:
        return app.get(timeout=2)
    except OSError:
        return 0, ""


def _containers(name: str) -> str:
    argv = ["docker", "ps", "--all", "--quiet", "--filter", f"label=wherry.app-name={name}"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
