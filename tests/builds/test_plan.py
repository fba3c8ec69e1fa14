"""The build plan: trials, alternatives, what optional buildpacks may do. One row a case: what passed, what comes out."""

from __future__ import annotations

import pytest
from wherry.builds import toml_files
from wherry.builds.plan import (
    Alternative,
    Entry,
    Passed,
    Plan,
    Require,
    Unresolved,
    read_alternatives,
    resolve,
)
from wherry.domain.errors import InvalidInput


def one(text: str) -> Alternative:
    """ "+a -b": provides a, requires b."""
    words = text.split()
    provides = tuple(word[1:] for word in words if word[0] == "+")
    return Alternative(provides, tuple(Require(word[1:]) for word in words if word[0] == "-"))


def passed(text: str) -> Passed:
    """ "id? +a -b | +c": optional with "?", alternatives after "|"."""
    name, _, rest = text.partition(" ")
    alternatives = tuple(one(each) for each in rest.split("|"))
    return Passed(name.rstrip("?"), name.endswith("?"), alternatives)


@pytest.mark.parametrize(
    ("group", "chosen"),
    [
        (["a", "b"], "a b"),
        (["a +x -x"], "a"),
        (["a +x", "b -x"], "a b"),
        (["a +x", "b +x -x"], "a b"),
        (["a +x -y", "b +y -x -y"], None),
        (["a -x"], None),
        (["a -x", "b +x"], None),
        (["a +x"], None),
        (["a? +x", "b"], "b"),
        (["a? -x", "b"], "b"),
        (["a? -x"], None),
        (["a? +x", "b? +y -x -z", "c"], "c"),
        (["a? +x -y", "b? +y", "c -x"], None),
        (["a? +x", "b -x"], "a b"),
        (["a +x | +y", "b -y"], "a b"),
        (["a +x | +y", "b -z | -y"], "a b"),
        (["a +x |", "b"], "a b"),
        (["a -x | ", "b"], "a b"),
        (["a? +x | +y", "b -y"], "a b"),
        (["a? +x | +y -z", "b"], "b"),
        (["a +x", "b -x -x"], "a b"),
        ([], None),
    ],
)
def test_a_trial_holds_when_all_is_provided_and_all_is_used(group: list[str], chosen: str | None) -> None:
    outcome = resolve([passed(each) for each in group])
    if chosen is None:
        assert isinstance(outcome, Unresolved)
        assert outcome.reasons
    else:
        assert isinstance(outcome, Plan)
        assert outcome.group == tuple(chosen.split())


def test_alternatives_are_tried_depth_first_so_the_first_that_holds_wins() -> None:
    outcome = resolve([passed("a +x | +y"), passed("b -x | -y")])
    assert outcome == Plan(("a", "b"), (Entry("x", ("a",), (Require("x"),)),))
    second = resolve([passed("a +y | +x"), passed("b -x | -y")])
    assert second == Plan(("a", "b"), (Entry("y", ("a",), (Require("y"),)),))


def test_the_reasons_name_who_requires_or_provides_what() -> None:
    assert resolve([passed("a -x")]) == Unresolved(("a requires x, which nothing here provides",))
    assert resolve([passed("a +x")]) == Unresolved(("a provides x, unused",))


def test_a_provider_gets_every_require_of_its_names_with_the_metadata() -> None:
    asked = (Require("x", {"version": "1"}), Require("x", {"version": "2"}))
    outcome = resolve(
        [
            passed("a +x"),
            Passed("b", False, (Alternative((), asked[:1]),)),
            Passed("c", False, (Alternative((), asked[1:]),)),
        ]
    )
    assert isinstance(outcome, Plan)
    assert outcome.of("a") == asked
    assert outcome.of("b") == ()


def test_what_the_first_provider_leaves_unmet_goes_on_to_the_next() -> None:
    outcome = resolve([passed("a +x +y"), passed("b +x"), passed("c -x -y")])
    assert isinstance(outcome, Plan)
    assert [each.name for each in outcome.of("b")] == ["x"]
    assert outcome.met_by("a", []).of("b") == ()
    assert [each.name for each in outcome.met_by("a", ["x"]).of("b")] == ["x"]


def test_endless_alternatives_end() -> None:
    group = [passed(f"b{number} " + " | ".join(["-x"] * 10)) for number in range(20)]
    assert isinstance(resolve(group), Unresolved)


def test_a_plan_file_is_read_with_its_alternatives() -> None:
    text = b"""
        [[provides]]
        name = "a"
        [[or]]
        [[or.provides]]
        name = "b"
        [[or.requires]]
        name = "b"
        [or.requires.metadata]
        version = "1"
    """
    assert read_alternatives(toml_files.parse(text, "plan")) == (
        Alternative(("a",)),
        Alternative(("b",), (Require("b", {"version": "1"}),)),
    )


@pytest.mark.parametrize("text", [b"provides = 1", b"[[provides]]", b"[[requires]]\nname = 1", b"or = [1]"])
def test_a_plan_file_that_is_none_is_refused_with_its_place(text: bytes) -> None:
    with pytest.raises(InvalidInput, match="plan"):
        read_alternatives(toml_files.parse(text, "plan"))
