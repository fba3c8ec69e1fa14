"""What differs between two states of an app."""

from __future__ import annotations

from wherry.domain.difference import Change, Shape, difference
from wherry.domain.formation import Scale
from wherry.domain.secret import Secret

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


def test_what_is_not_known_is_not_compared() -> None:
    assert difference(Shape(config=BEFORE.config), BEFORE) == []
    assert difference(BEFORE, Shape(config=BEFORE.config)) == []
