"""An app leaves the platform as plain files, runs without it, and comes back."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path

import pytest

from tests.journeys.harness import App, Platform, eventually
from tests.ports import free_port


def test_an_ejected_app_answers_the_same_under_compose_and_comes_back_with_its_history(
    platform: Platform, tmp_path: Path
) -> None:
    if shutil.which("docker-compose") is None:
        pytest.skip("no docker-compose here: apt-get install docker-compose")
    app = platform.create("leaver", "procfile-only")
    app.wherry("config:set", "GREETING=a $dollar and 'quotes'")
    app.push()
    app.say("Second")
    app.push()
    status, page = app.get()
    folder = tmp_path / "files"
    app.wherry("eject", "leaver", "--to", "compose", "--into", str(folder))
    compose = folder / "compose.yaml"
    assert compose.stat().st_mode & 0o777 == 0o600
    port = free_port()
    compose.write_text(compose.read_text().replace("8080:8080", f"{port}:8080"))
    argv = ["docker-compose", "-p", f"leaver{port}", "-f", str(compose)]
    try:
        platform.run(*argv, "up", "-d", timeout=300)
        eventually(lambda: _answers(port) == (status, page))
        there = platform.run(*argv, "exec", "-T", "web", "/cnb/lifecycle/launcher", "printenv GREETING")
        assert there.out == "a $dollar and 'quotes'\n"
    finally:
        platform.run(*argv, "down", "-v", check=False)

    platform.wherry("adopt", str(folder / "history.json"), "returner")
    eventually(lambda: _releases(platform)[0] == (3, "succeeded"))
    back = App(platform, "returner", app.folder)
    assert back.get() == (status, page)
    assert _releases(platform) == [(3, "succeeded"), (2, "succeeded"), (1, "succeeded")]
    platform.wherry("releases:rollback", "v1", "-a", "returner")
    assert back.get()[1] != page


def _answers(port: int) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except OSError:
        return 0, ""


def _releases(platform: Platform) -> list[tuple[int, str]]:
    """Of the app that came back, the newest first."""
    rows = json.loads(platform.wherry("releases", "-a", "returner", "--json").out)
    return sorted(((int(row["version"]), str(row["status"])) for row in rows), reverse=True)
