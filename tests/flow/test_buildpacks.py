"""The buildpacks that an app asks for: changed as a whole or by one, and told in an event."""

from __future__ import annotations

import pytest
from wherry.domain.build_settings import BuildSettings
from wherry.domain.errors import Conflict, InvalidInput, NotFound
from wherry.domain.model import App
from wherry.flow.buildpacks import Buildpacks

from tests.flow.conftest import Stage


def test_each_change_is_kept_with_its_event_and_leaves_the_other_settings(stage: Stage, app: App) -> None:
    story = Buildpacks(stage.ledger, stage.clock, ("https://h.example/team",))
    with stage.ledger.begin() as tx:
        tx.apps.put_build_settings(app.id, BuildSettings(builder="x/builder"))
    assert story.add(app.owner, app, "wherry/python") == ("wherry/python",)
    assert story.add(app.owner, app, "https://h.example/team/x.git", 1)[0] == "https://h.example/team/x.git"
    assert story.remove(app.owner, app, place=2) == ("https://h.example/team/x.git",)
    story.clear(app.owner, app)
    story.clear(app.owner, app)
    with stage.ledger.begin(read_only=True) as tx:
        assert tx.apps.by_id(app.id).build == BuildSettings(builder="x/builder")
        changes = [each for each in tx.events.of_app(app.name) if each.action == "buildpacks.change"]
    assert [len(each.after["buildpacks"]) for each in reversed(changes) if each.after] == [1, 2, 1, 0]


def test_what_is_refused_changes_nothing(stage: Stage, app: App) -> None:
    story = Buildpacks(stage.ledger, stage.clock)
    story.set(app.owner, app, ["wherry/python"])
    for error, buildpack in ((Conflict, "wherry/python"), (InvalidInput, "no name"), (InvalidInput, "https://h/x.git")):
        with pytest.raises(error):
            story.add(app.owner, app, buildpack)
    with pytest.raises(NotFound):
        story.remove(app.owner, app, "wherry/go")
    assert story.show(app) == ("wherry/python",)
