"""`wherry buildpacks`, with Heroku's verbs."""

from __future__ import annotations

import json

from tests.cli.conftest import Terminal


def test_buildpacks_are_set_added_removed_and_cleared(terminal: Terminal, app: str) -> None:
    assert f"{app} asks for no buildpacks" in terminal.wherry("buildpacks", "-a", app).err
    said = terminal.wherry("buildpacks:set", "heroku/python", "-a", app)
    assert (said.code, said.out) == (0, "heroku/python\n")
    assert f"Buildpack set. The next release of {app} will use:" in said.err
    assert "git push wherry main" in said.err
    terminal.wherry("buildpacks:add", "-i", "1", "wherry/apt", "-a", app)
    added = json.loads(terminal.wherry("buildpacks", "add", "./mine", "-a", app, "--json").out)
    assert [each["buildpack"]["name"] for each in added] == ["wherry/apt", "heroku/python", "./mine"]
    listed = terminal.wherry("buildpacks", "-a", app).out
    assert listed == f"=== {app} Buildpacks\n1. wherry/apt\n2. heroku/python\n3. ./mine\n"
    terminal.wherry("buildpacks:set", "wherry/nodejs", "-i", "2", "-a", app)
    terminal.wherry("buildpacks:remove", "-i", "3", "-a", app)
    assert terminal.wherry("buildpacks:remove", "wherry/apt", "-a", app).out == "wherry/nodejs\n"
    assert json.loads(terminal.wherry("buildpacks:clear", "--json", "-a", app).out) == []


def test_an_app_is_made_with_its_buildpack(terminal: Terminal) -> None:
    made = terminal.wherry("create", "made-with-one", "-n", "-b", "heroku/python")
    assert (made.code, "Setting its buildpack to heroku/python... done" in made.err) == (0, True)
    assert terminal.wherry("buildpacks", "-a", "made-with-one").out == "=== made-with-one Buildpack\nheroku/python\n"
    assert "made-with-one" in terminal.wherry("apps", "--personal").out
    assert terminal.wherry("apps", "-A", "-p").code == 2
    assert terminal.wherry("create", "made-without", "-n", "-b", "not a name").code == 3


def test_a_buildpack_that_cannot_be_has_its_exit_code(terminal: Terminal, app: str) -> None:
    terminal.wherry("buildpacks:set", "wherry/python", "-a", app)
    assert terminal.wherry("buildpacks:add", "wherry/python", "-a", app).code == 5
    assert terminal.wherry("buildpacks:add", "not a name", "-a", app).code == 3
    refused = terminal.wherry("buildpacks:add", "https://h.example/x.git", "-a", app)
    assert (refused.code, "have none" in refused.err) == (3, True)
    assert terminal.wherry("buildpacks:remove", "wherry/go", "-a", app).code == 4
    assert terminal.wherry("buildpacks:remove", "-a", app).code == 3
    assert terminal.wherry("buildpacks", "-a", app).out == f"=== {app} Buildpack\nwherry/python\n"
