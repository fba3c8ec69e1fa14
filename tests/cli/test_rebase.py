"""`wherry rebase`: one app, all apps, and those that cannot be."""

from __future__ import annotations

import json

from tests.api.house import House
from tests.cli.conftest import Terminal
from tests.fakes.bases import InMemoryBases


def test_an_app_is_rebased_once(terminal: Terminal, app: str) -> None:
    said = terminal.wherry("rebase", app)
    assert (said.code, said.out) == (0, ""), said.err
    assert f"Rebasing {app}... done, v2" in said.err
    assert "Rebase onto sha256:bbbb" in terminal.wherry("releases", "-a", app).out
    again = terminal.wherry("rebase", "-a", app, "--json")
    assert f"Rebasing {app}... done, nothing to do, it is on the newest base" in again.err
    assert json.loads(again.out) == {"base": {"digest": "sha256:" + "b" * 64}, "release": None}


def test_an_app_without_a_release_is_refused(terminal: Terminal, house: House) -> None:
    house.create("rebase-empty")
    said = terminal.wherry("rebase", "rebase-empty")
    assert (said.code, "has no release yet" in said.err) == (5, True)
    for words in (("rebase", "a-b-c", "--all"), ("rebase", "a-b-c", "-a", "other")):
        assert terminal.wherry(*words).code == 2


def test_all_apps_are_rebased_and_those_that_cannot_be_are_told(terminal: Terminal, house: House) -> None:
    user = {"WHERRY_API_URL": house.url, "WHERRY_API_KEY": house.token("rebaser")}
    terminal.env = user
    for name in ("all-one", "all-two", "all-fixed"):
        house.create(name, by="rebaser")
        house.release(name, by="rebaser")
    bases = house.world.bases
    assert isinstance(bases, InMemoryBases)
    fixed = json.loads(terminal.wherry("releases:info", "-a", "all-fixed", "--json").out)["image"]["digest"]
    house.release("all-one", by="rebaser")
    house.release("all-two", by="rebaser")
    bases.fixed[fixed] = "its image says no"
    try:
        said = terminal.wherry("rebase", "--all", "--json")
        assert said.code == 0, said.err
        assert "all-fixed: all-fixed v1 cannot be rebased: its image says no" in said.err
        assert "2 of 3 apps rebased." in said.err
        found = {each["app"]: each for each in json.loads(said.out)}
        assert {name: bool(each["release"]) for name, each in found.items()} == {
            "all-one": True, "all-two": True, "all-fixed": False
        }  # fmt: skip
        again = terminal.wherry("rebase", "--all")
        assert "0 of 3 apps rebased." in again.err
        assert "all-one: nothing to do" in again.err
    finally:
        del bases.fixed[fixed]
