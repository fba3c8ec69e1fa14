"""The story of the README, as a user types it."""

from __future__ import annotations

import json

import pytest

from tests.journeys.harness import App, Platform, eventually, steady_requests


@pytest.fixture(scope="module")
def app(platform: Platform) -> App:
    app = platform.create("story", "python-hello")
    app.push()
    return app


def test_a_push_becomes_a_running_app(platform: Platform) -> None:
    app = platform.create("first", "python-hello")
    said = app.push().all
    assert "Released v1" in said
    assert f"{app.url} deployed" in said
    code, body = app.get()
    assert code == 200
    assert "Hello" in body


def test_a_second_push_drops_no_request(app: App) -> None:
    with steady_requests(app, 50) as knocks:
        app.say("Second")
        assert "Released v2" in app.push().all
        assert "Second" in app.get()[1]
    assert knocks.failures == []
    assert knocks.requests > 20


def test_releases_rollback_and_scale(app: App) -> None:
    before = app.releases()
    assert before[0]["status"] == "succeeded"
    body = app.get()[1]
    app.say("Third")
    app.push()
    assert "Third" in app.get()[1]
    app.wherry("releases:rollback", f"v{before[0]['version']}")
    assert app.get()[1] == body
    newest = app.releases()[0]
    assert newest["version"] == int(str(before[0]["version"])) + 2
    assert f"Rollback to v{before[0]['version']}" in str(newest["description"])

    app.wherry("ps:scale", "web=3")
    eventually(lambda: len(json.loads(app.wherry("ps", "--json").out)) == 3)
    app.wherry("ps:scale", "web=1")
    eventually(lambda: len(json.loads(app.wherry("ps", "--json").out)) == 1)


def test_zero_survives_a_deploy_and_says_so(platform: Platform) -> None:
    app = platform.create("zero", "procfile-only")
    app.push()
    app.wherry("ps:scale", "web=0")
    eventually(lambda: app.get()[0] == 503)
    app.say("Still asleep")
    app.push()
    assert app.get()[0] == 503
    app.wherry("ps:scale", "web=1")
    eventually(lambda: "Still asleep" in app.get()[1])


def test_a_change_of_config_is_a_release_with_the_same_image(app: App) -> None:
    before = app.releases()[0]
    app.wherry("config:set", "GREETING=it's $(id) \n two lines")
    after = app.releases()[0]
    assert after["version"] == int(str(before["version"])) + 1
    assert app.wherry("config:get", "GREETING").out == "it's $(id) \n two lines\n"


def test_logs_show_what_the_app_writes(app: App) -> None:
    app.get("/?look=at-this")
    eventually(lambda: "look=at-this" in app.wherry("logs", "-n", "50").out)


def test_an_unknown_app_answers_404(platform: Platform) -> None:
    assert App(platform, "nobody", platform.user).get()[0] == 404


def test_a_renamed_app_answers_at_its_new_name_only(platform: Platform) -> None:
    app = platform.create("old-name", "procfile-only")
    app.push()
    app.wherry("apps:rename", "new-name")
    renamed = App(platform, "new-name", app.folder)
    eventually(lambda: renamed.get()[0] == 200)
    eventually(lambda: app.get()[0] == 404)


def test_a_destroyed_app_leaves_nothing_and_its_name_is_not_given_again(platform: Platform) -> None:
    app = platform.create("goner", "procfile-only")
    app.push()
    app.wherry("apps:destroy", "--confirm", "goner")
    eventually(lambda: app.get()[0] == 404)
    again = platform.wherry("create", "goner", check=False)
    assert again.code != 0
    assert "goner" in again.all
