"""An app's cached layers: moved, never copied, never half changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from wherry.builds import cache
from wherry.builds.cache import CacheUnit
from wherry.builds.model import Buildpack, BuiltLayer

PACK = Buildpack("some/pack", "1", "0.10", Path("/nowhere"))


class Build:
    """One build's work folder; `end` is what the builder does."""

    def __init__(self, root: Path, number: int) -> None:
        self.work = root / f"work-{number}"
        self.layers = self.work / "layers"
        (self.layers / "some_pack").mkdir(parents=True)
        self.unit = CacheUnit(root / "caches/1", self.work / "cache")

    def restore(self) -> dict[str, object]:
        self.unit.claim()
        found = {}
        for each in list(self.unit.cached(PACK)):
            self.unit.move_into(self.layers, each)
            found[each.name] = each.metadata
        self.unit.begin()
        return found

    def layer(self, name: str, cached: bool = True) -> BuiltLayer:
        """As a build makes or changes it."""
        folder = self.layers / "some_pack" / name
        (folder / "deep/er").mkdir(parents=True, exist_ok=True)
        (folder / "deep/er/file").touch()
        return BuiltLayer(PACK, name, folder, False, False, cached, {"key": name})

    def end(self, *good: BuiltLayer, failed: bool = False, left: tuple[BuiltLayer, ...] = ()) -> None:
        self.unit.good = None if failed else good
        self.unit.left = left
        self.unit.put_back()
        shutil.rmtree(self.work)


@pytest.fixture
def after_one(tmp_path: Path) -> Path:
    """An app that was built once, with the layers a and b in its cache."""
    build = Build(tmp_path, 1)
    assert build.restore() == {}
    build.end(build.layer("a"), build.layer("b"), build.layer("not-cached", cached=False))
    return tmp_path


def test_the_cached_layers_of_a_good_build_come_back_with_their_metadata(after_one: Path) -> None:
    build = Build(after_one, 2)
    assert build.restore() == {"a": {"key": "a"}, "b": {"key": "b"}}
    assert (build.layers / "some_pack/a/deep/er/file").exists()


def test_they_are_moved_so_a_large_layer_costs_nothing(after_one: Path) -> None:
    inode = (after_one / "caches/1/good/some_pack/a/deep/er/file").stat().st_ino
    build = Build(after_one, 2)
    build.restore()
    assert (build.layers / "some_pack/a/deep/er/file").stat().st_ino == inode
    build.end(build.layer("a"))
    assert (after_one / "caches/1/good/some_pack/a/deep/er/file").stat().st_ino == inode


def test_layers_that_a_good_build_no_longer_has_are_gone(after_one: Path) -> None:
    build = Build(after_one, 2)
    build.restore()
    build.end(build.layer("a"))
    assert list(Build(after_one, 3).restore()) == ["a"]


def test_a_failed_build_gives_back_what_it_did_not_touch(after_one: Path) -> None:
    build = Build(after_one, 2)
    build.restore()
    build.end(failed=True)
    assert list(Build(after_one, 3).restore()) == ["a", "b"]


@pytest.mark.parametrize("change", ["write", "add", "add-on-top", "remove", "replace", "chmod"])
def test_a_layer_that_a_failed_build_changed_is_lost_and_the_others_are_not(after_one: Path, change: str) -> None:
    build = Build(after_one, 2)
    build.restore()
    folder = build.layers / "some_pack/a"
    match change:
        case "write":
            (folder / "deep/er/file").write_text("changed")
        case "add":
            (folder / "deep/er/more").touch()
        case "add-on-top":
            (folder / "more").touch()
        case "remove":
            (folder / "deep/er/file").unlink()
        case "replace":
            shutil.rmtree(folder)
            (folder / "deep").mkdir(parents=True)
        case "chmod":
            (folder / "deep/er/file").chmod(0o600)
    build.end(failed=True)
    assert list(Build(after_one, 3).restore()) == ["b"]


def test_a_layer_that_a_failed_build_set_aside_and_brought_back_is_kept(after_one: Path) -> None:
    build = Build(after_one, 2)
    build.restore()
    folder = build.layers / "some_pack/a"
    folder.rename(folder.with_name("a.before"))
    folder.with_name("a.before").rename(folder)
    build.end(failed=True)
    assert list(Build(after_one, 3).restore()) == ["a", "b"]


def test_what_a_failed_build_leaves_is_kept_as_it_left_it_and_takes_the_place_of_what_was_there(
    after_one: Path,
) -> None:
    build = Build(after_one, 2)
    build.restore()
    a = build.layer("a")
    assert a.folder
    (a.folder / "more").write_text("changed")
    link = build.layers / "some_pack/link"
    link.symlink_to("/etc")
    linked = BuiltLayer(PACK, "link", link, False, False, True)
    build.end(failed=True, left=(a, build.layer("new"), linked, build.layer("not-cached", cached=False)))
    third = Build(after_one, 3)
    assert list(third.restore()) == ["a", "b", "new"]
    assert (third.layers / "some_pack/a/more").read_text() == "changed"


def test_a_failed_build_before_the_restore_leaves_the_cache(after_one: Path) -> None:
    Build(after_one, 2).end(failed=True)
    assert list(Build(after_one, 3).restore()) == ["a", "b"]


def test_a09_a_killed_build_loses_the_cache_as_a_whole(after_one: Path) -> None:
    Build(after_one, 2).restore()
    shutil.rmtree(after_one / "work-2")
    assert Build(after_one, 3).restore() == {}


def test_t16_two_builds_never_share_a_cache(after_one: Path) -> None:
    first, second = Build(after_one, 2), Build(after_one, 3)
    assert list(first.restore()) == ["a", "b"]
    assert list(second.restore()) == []
    second.end(second.layer("of-second"))
    first.end(first.layer("of-first"))
    assert list(Build(after_one, 4).restore()) == ["of-first"]


def test_a_record_that_cannot_be_read_counts_as_none(after_one: Path) -> None:
    (after_one / "caches/1/good/some_pack/a.toml").write_bytes(b"\xff")
    assert list(Build(after_one, 2).restore()) == ["b"]


def test_a_destroyed_app_leaves_no_cache(after_one: Path) -> None:
    cache.forget(after_one / "caches/1")
    cache.forget(after_one / "caches/1")
    assert not (after_one / "caches/1").exists()
