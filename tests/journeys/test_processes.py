"""Restart, sizes and maintenance of an app that runs, as a user types them."""

from __future__ import annotations

import json

import pytest

from tests.journeys.harness import App, Platform, eventually, steady_requests


@pytest.fixture(scope="module")
def app(platform: Platform) -> App:
    app = platform.create("lively", "procfile-only")
    app.push()
    return app


def ids(app: App) -> set[tuple[object, object, object]]:
    found = json.loads(app.wherry("ps", "--json").out)
    return {(each["name"], each["created_at"], each["state"]) for each in found}


def status(app: App) -> int:
    """0 while the router itself is down."""
    try:
        return app.get()[0]
    except OSError:
        return 0


def test_a_restart_drops_no_request_though_the_worker_is_killed_amid(app: App) -> None:
    app.wherry("ps:scale", "web=2")
    eventually(lambda: len(ids(app)) == 2)
    before = ids(app)
    with steady_requests(app, 100) as knocks:
        app.wherry("ps:restart")
        app.platform.kill("worker")
        eventually(lambda: not ids(app) & before and len(ids(app)) == 2)
        app.wherry("ps:wait")
        app.wherry("restart", "web.1")
        eventually(lambda: len(ids(app) & before) == 0 and len(ids(app)) == 2)
    assert knocks.failures == []
    assert knocks.requests > 100
    assert len(app.releases()) == 1


def test_a_stopped_process_comes_back_and_a_size_is_taken_over(app: App) -> None:
    before = ids(app)
    app.wherry("ps:stop", "web.2")
    eventually(lambda: len(ids(app) - before) == 1 and len(ids(app)) == 2)
    said = app.wherry("ps:type", "Standard-2X").out
    assert "standard-2x" in said
    eventually(lambda: not ids(app) & before)
    assert app.wherry("ps:stop", "web.9", check=False).code == 4
    assert app.wherry("ps:scale", "web=2:1Gi", "nope=1", check=False).code == 3


def test_maintenance_answers_503_with_a_page_and_survives_a_restart_of_the_router(app: App) -> None:
    assert app.wherry("maintenance").out == "off\n"
    app.wherry("maintenance:on")
    eventually(lambda: app.get()[0] == 503)
    assert "H80" in app.get()[1]
    app.platform.kill("router")
    eventually(lambda: status(app) == 503)
    app.say("Behind the curtain")
    app.push()
    assert app.get()[0] == 503
    assert app.wherry("maintenance").out == "on\n"
    app.wherry("maintenance:off")
    eventually(lambda: "Behind the curtain" in app.get()[1])
