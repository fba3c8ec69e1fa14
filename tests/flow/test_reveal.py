"""Who reads config stands among the events."""

from __future__ import annotations

import pytest
from wherry.domain.model import App
from wherry.flow.reveal import RevealConfig

from tests.flow.conftest import Stage


@pytest.fixture
def story(stage: Stage) -> RevealConfig:
    return RevealConfig(stage.ledger, stage.clock)


def reads(stage: Stage, app: App) -> list[tuple[str, object]]:
    with stage.ledger.begin(read_only=True) as tx:
        return [(each.actor, each.after) for each in tx.events.of_app(app.name) if each.action == "config.read"]


def test_each_reader_is_written_down_once_a_minute(stage: Stage, app: App, story: RevealConfig) -> None:
    with stage.ledger.begin() as tx:
        eve = tx.accounts.ensure("eve@example.org", admin=False)
    for _ in range(3):
        story.run(stage.user, app)
    story.run(eve, app)
    assert reads(stage, app) == [("eve@example.org", {}), ("user@example.org", {})]
    stage.clock.turn(61)
    story.run(stage.user, app)
    assert len(reads(stage, app)) == 3


def test_a_releases_config_is_another_thing_to_read(stage: Stage, app: App, story: RevealConfig) -> None:
    stage.configure.run(stage.user, app, {"A": "1"})
    release = stage.deploy(app, "1" * 40)
    assert release is not None
    found = story.run(stage.user, app, release=release)
    assert found["A"].reveal() == "1"
    assert reads(stage, app) == [("user@example.org", {"release": "v1"})]


def test_whoever_changed_it_was_shown_it_by_that(stage: Stage, app: App, story: RevealConfig) -> None:
    stage.configure.run(stage.user, app, {"A": "1"})
    assert story.run(stage.user, app)["A"].reveal() == "1"
    assert reads(stage, app) == []
    stage.clock.turn(61)
    stage.configure.run(stage.user, app, {"A": "1"})
    story.run(stage.user, app)
    assert reads(stage, app) == [("user@example.org", {})]


def test_no_event_of_a_deploy_leaves_open_where_it_came_from(stage: Stage, app: App) -> None:
    stage.deploy(app, "1" * 40)
    stage.deploy(app, "2" * 40)
    for _ in range(2):
        stage.runtime.crash(app.id, "web.1")
    assert stage.watchdog.check(app.id) is not None
    stage.work()
    with stage.ledger.begin(read_only=True) as tx:
        events = [each for each in tx.events.of_app(app.name) if each.action.startswith("release.")]
    assert [each.origin for each in events] == ["worker", "watchdog", "worker", "build 2", "worker", "build 1"]
