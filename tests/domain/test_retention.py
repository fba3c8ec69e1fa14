"""Whose image stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from wherry.domain.image import Image, Start
from wherry.domain.model import ReleaseStatus
from wherry.domain.retention import forgotten, kept


@dataclass(frozen=True)
class R:
    number: int
    status: ReleaseStatus = ReleaseStatus.SUCCEEDED
    digest: str = ""

    @property
    def image(self) -> Image:
        return Image("apps/1", self.digest or f"sha256:{self.number}", {})


def releases(*given: R) -> Any:
    return cast(Any, given)


def test_the_newest_that_served_stay_and_what_is_on_its_way() -> None:
    all_of_them = releases(R(6, ReleaseStatus.PENDING), R(5), R(4, ReleaseStatus.FAILED), R(3), R(2), R(1))
    assert [each.number for each in kept(all_of_them, 2)] == [5, 3, 6]
    assert forgotten(all_of_them, [], 2) == {("apps/1", f"sha256:{number}") for number in (4, 2, 1)}


def test_an_image_that_a_kept_release_shares_stays() -> None:
    assert forgotten(releases(R(3, digest="a"), R(2, digest="b"), R(1, digest="a")), [], 2) == set()


def test_the_newest_builds_image_stays_for_the_release_that_may_come() -> None:
    assert forgotten(releases(R(1)), cast(Any, [R(3), R(2)]), 1) == {("apps/1", "sha256:2")}


def test_every_image_of_a_kept_release_stays() -> None:
    two = cast(Any, R(2))
    both = Image("apps/1", "a", {}, {"web": Start(("x",)), "job": Start(("y",), digest="b")})
    assert both.of("job").digest == "b"
    assert both.of("web").digest == both.of("other").digest == "a"
    newest = cast(Any, _With(3, both))
    assert forgotten([newest, two], [], 1) == {("apps/1", "sha256:2")}
    assert forgotten([two, newest], [], 1) == {("apps/1", "a"), ("apps/1", "b")}


@dataclass(frozen=True)
class _With:
    number: int
    image: Image
    status: ReleaseStatus = ReleaseStatus.SUCCEEDED
