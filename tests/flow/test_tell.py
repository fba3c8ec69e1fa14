"""What was done to an app, in its log."""

from __future__ import annotations

from wherry.domain.model import App
from wherry.flow.tell import TellEvents

from tests.flow.conftest import Stage

ONE = "1" * 40


def told(stage: Stage, app: App) -> list[str]:
    TellEvents(stage.ledger, stage.app_logs).run()
    return [kept.line.shown().partition(" ")[2] for kept in stage.app_logs.read(app.id, 100)]


def test_changes_are_told_in_herokus_words_once(stage: Stage, app: App) -> None:
    stage.deploy(app, ONE)
    stage.configure.run(stage.user, app, {"A": "secret", "B": "2"})
    stage.scale.run(stage.user, app, {"web": (2, None)})
    by = " by user user@example.org"
    expected = [
        f"app[api]: App created{by}",
        f"app[api]: Build started{by}",
        "app[api]: Build succeeded",
        f"app[api]: Deploy 11111111{by}",
        f"app[api]: Release v1 created{by}",
        f"app[api]: Set A, B config vars{by}",
        f"app[api]: Release v2 created{by}",
    ]
    lines = told(stage, app)
    assert lines[:7] == expected
    assert lines[7].startswith("app[api]: Scaled to web@2:")
    assert "secret" not in str(lines)
    assert told(stage, app) == lines
    stage.app_logs.move("events", "0")  # as after a crash before it was noted
    assert told(stage, app) == lines


def test_a_failed_release_and_a_hostile_name_are_told_safely(stage: Stage, app: App) -> None:
    with stage.ledger.begin() as tx:
        now = stage.clock.now()
        tx.events.add(now, stage.user, app.name, "release.finish", after={"release": "v9", "status": "failed"})
        tx.events.add(
            now, stage.user, app.name, "release.create", after={"description": "x\n\x1b[2J", "release": "v10"}
        )
        tx.events.add(now, stage.user, app.name, "build.finish", after={"build": 7, "status": "failed"})
    lines = told(stage, app)
    assert lines[4] == "app[api]: Build failed -- check your build output: wherry builds:output 7"
    assert lines[1] == "app[api]: Release v9 failed"
    assert lines[2] == "app[api]: x\\n\\x1b[2J by user user@example.org"


def test_a_process_that_does_not_boot_in_time_is_told_by_herokus_code(stage: Stage, app: App) -> None:
    stage.configure.run(stage.user, app, {"MODE": "deaf"})
    stage.deploy(app, ONE)
    assert told(stage, app)[-2:] == [
        "heroku[web.1]: Error R10 (Boot timeout) -> web.1 failed: not-listening",
        "app[api]: Release v1 failed",
    ]


def test_a_destroyed_app_leaves_no_log(stage: Stage, app: App) -> None:
    assert told(stage, app)
    stage.destroy.run(stage.user, app)
    stage.work()
    assert told(stage, app) == []
