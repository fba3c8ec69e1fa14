"""Links that no tree of ordinary size would have."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some
from wherry.domain.errors import PushRefused
from wherry.sources.links import check_links

PARTS = some.sampled_from(["a", "b", "c", "..", ".", "", "l", "m"])
TARGETS = some.lists(PARTS, min_size=1, max_size=8).map("/".join)


def test_a_ring_of_links_leads_nowhere_and_stays_inside() -> None:
    check_links({"a": "b", "b": "a", "c": "c/c/c/../.."})


def test_links_that_double_each_other_are_refused_in_bounded_time() -> None:
    chain = {f"l{n}": "/".join([f"l{n + 1}"] * 200) for n in range(1000)}
    started = time.monotonic()
    with pytest.raises(PushRefused, match="too many and too long"):
        check_links(chain)
    assert time.monotonic() - started < 60


def test_too_many_steps_are_refused() -> None:
    with pytest.raises(PushRefused, match="too many and too long"):
        check_links({f"l{n}": "a/" * 2000 for n in range(1000)})


@given(some.dictionaries(some.sampled_from(["l", "m", "a/l", "a/b/m"]), TARGETS, max_size=4))
def test_what_is_let_through_stays_inside_when_a_file_system_follows_it(targets: dict[str, str]) -> None:
    try:
        check_links(targets)
    except PushRefused:
        return
    for link in targets:
        assert depth_of_following(link, targets) >= 0


def depth_of_following(link: str, targets: dict[str, str], hops: int = 40) -> int:
    """The lowest depth ever reached, as the kernel walks; missing parts count as folders."""
    at: list[str] = []
    todo = link.split("/")
    lowest = 0
    while todo:
        part, *todo = todo
        if part == "..":
            lowest = min(lowest, len(at) - 1)
            at = at[:-1]
        elif part not in ("", "."):
            at.append(part)
            if "/".join(at) in targets:
                hops -= 1
                if hops < 0:
                    break
                target = targets["/".join(at)]
                if target.startswith("/"):
                    return -1
                at.pop()
                todo = target.split("/") + todo
    return lowest
