"""What differs between two states of an app."""

from __future__ import annotations

from dataclasses import replace

from wherry.domain.app_json import AppJson
from wherry.domain.autoscale import Autoscale
from wherry.domain.cron import CronTask, Policy
from wherry.domain.difference import Change, Shape, difference
from wherry.domain.formation import Scale
from wherry.domain.health import Check
from wherry.domain.secret import Secret
from wherry.domain.volume import Volume

BEFORE = Shape(
    commit="a" * 40,
    digest="sha256:a",
    stack="wherry-12",
    buildpacks=("x/y",),
    processes={"web": "serve", "old": "gone"},
    formation={"web": Scale(1), "old": Scale(0)},
    config={"KEPT": Secret("k"), "LOST": Secret("hunter2"), "OTHER": Secret("one")},
)
AFTER = Shape(
    commit="b" * 40,
    digest="sha256:b",
    stack="container",
    buildpacks=(),
    processes={"web": "serve --fast", "new": "come"},
    formation={"web": Scale(3, "large"), "new": Scale(0)},
    config={"KEPT": Secret("k"), "ADDED": Secret("swordfish"), "OTHER": Secret("two")},
)


def test_each_area_says_what_was_and_what_becomes() -> None:
    assert difference(BEFORE, AFTER) == [
        Change("commit", "", "a" * 40, "b" * 40),
        Change("image", "", "sha256:a", "sha256:b"),
        Change("stack", "", "wherry-12", "container"),
        Change("buildpacks", "", "x/y", None),
        Change("process", "new", None, "come"),
        Change("process", "old", "gone", None),
        Change("process", "web", "serve", "serve --fast"),
        Change("formation", "new", None, "0:basic"),
        Change("formation", "old", "0:basic", None),
        Change("formation", "web", "1:basic", "3:large"),
        Change("config", "ADDED", None, "[REDACTED]"),
        Change("config", "LOST", "[REDACTED]", None),
        Change("config", "OTHER", "[REDACTED]", "[REDACTED]"),
    ]


def test_the_same_state_has_no_difference() -> None:
    assert difference(BEFORE, BEFORE) == []


def test_all_of_an_app_json_that_stays_in_force_is_told() -> None:
    load = Autoscale(1, 5, cpu=80)
    before = Shape(
        formation={"web": Scale(2), "worker": Scale(1, autoscale=load)},
        images={"web": "sha256:1"},
        wishes=AppJson(
            healthchecks={"web": (Check(path="/up"),)},
            cron=(CronTask("tidy", "0 3 * * *"), CronTask("gone", "1 1 * * *")),
        ),
    )
    after = Shape(
        formation={"web": Scale(2, autoscale=load), "worker": Scale(1, autoscale=replace(load, most=9))},
        images={"web": "sha256:2"},
        wishes=AppJson(
            healthchecks={"web": (Check(path="/up", timeout=9),)},
            volumes={"worker": (Volume("data", "/data", 64),)},
            cron=(CronTask("tidy", "0 4 * * *", Policy.FORBID, paused=True),),
            postdeploy="once",
        ),
    )
    common = '"type": "startup", "path": "/up", "attempts": 3, "timeout": {}, "wait": 5'
    assert difference(before, after) == [
        Change("image", "web", "sha256:1", "sha256:2"),
        Change("formation", "web", "2:basic", "2:basic, 1 to 5 by cpu 80%"),
        Change("formation", "worker", "1:basic, 1 to 5 by cpu 80%", "1:basic, 1 to 9 by cpu 80%"),
        Change("check", "web", "{" + common.format(5) + "}", "{" + common.format(9) + "}"),
        Change("volume", "worker", None, "data at /data, 64 MiB"),
        Change("cron", "gone", "1 1 * * *", None),
        Change("cron", "tidy", "0 3 * * *", "0 4 * * *, forbid beside an earlier run, paused"),
    ]
    assert difference(after, after) == difference(Shape(), after) == []


def test_what_is_not_known_is_not_compared() -> None:
    assert difference(Shape(config=BEFORE.config), BEFORE) == []
    assert difference(BEFORE, Shape(config=BEFORE.config)) == []
