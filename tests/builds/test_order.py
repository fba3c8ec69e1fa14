"""Order resolution: which groups are tried, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest
from wherry.builds.descriptor import Descriptor, Member
from wherry.builds.model import Buildpack
from wherry.builds.order import candidates, with_system
from wherry.domain.errors import InvalidInput


def members(text: str) -> tuple[Member, ...]:
    """ "a b?": b is optional."""
    return tuple(Member(each.rstrip("?"), "1", each.endswith("?")) for each in text.split())


def find(composites: dict[str, list[str]]):
    def look(name: str, version: str) -> Descriptor:
        order = tuple(members(group) for group in composites.get(name, []))
        return Descriptor(Buildpack(name, version, "0.10", Path("/nowhere")), order=order)

    return look


def tried(order: list[str], composites: dict[str, list[str]] | None = None) -> list[str]:
    groups = candidates([members(group) for group in order], find(composites or {}))
    return [" ".join(each.descriptor.id + "?" * each.optional for each in group) for group in groups]


@pytest.mark.parametrize(
    ("order", "composites", "expected"),
    [
        (["a b?", "c"], {}, ["a b?", "c"]),
        (["a a b"], {}, ["a b"]),
        (["x c"], {"x": ["a", "b"]}, ["a c", "b c"]),
        (["x? c"], {"x": ["a", "b"]}, ["a c", "b c", "c"]),
        (["p x c"], {"x": ["a b?"]}, ["p a b? c"]),
        (["x y"], {"x": ["a", "b"], "y": ["c", "d"]}, ["a c", "a d", "b c", "b d"]),
        (["x"], {"x": ["y c"], "y": ["a", "b"]}, ["a c", "b c"]),
        (["a x"], {"x": ["a b"]}, ["a b"]),
    ],
)
def test_groups_are_tried_from_left_to_right_and_depth_first(
    order: list[str], composites: dict[str, list[str]], expected: list[str]
) -> None:
    assert tried(order, composites) == expected


def test_composites_that_contain_each_other_are_refused() -> None:
    with pytest.raises(InvalidInput, match="contain each other"):
        tried(["x"], {"x": ["y"], "y": ["x"]})


def test_members_for_another_execution_environment_are_left_out() -> None:
    group = (Member("a", "1", exec_env=("test",)), Member("b", "1", exec_env=("production",)), Member("c", "1"))
    found = list(candidates([group], find({})))
    assert [[each.descriptor.id for each in found_group] for found_group in found] == [["b", "c"]]


def test_the_platforms_own_buildpacks_stand_around_a_group_that_does_not_name_them() -> None:
    before, after = members("p a"), members("s")
    assert with_system(members("a b"), before, after) == (*members("p a b"), *members("s"))
