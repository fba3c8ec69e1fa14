from pathlib import Path

from wherry.images.difference import changes, seen


def test_new_changed_and_removed_paths_are_told_with_their_parents(tmp_path: Path) -> None:
    for name in ("same", "a/b/changed", "a/b/gone", "dir/x/y", "skipped/z"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")

    def pick(name: str) -> bool:
        return name != "skipped"

    before = seen(tmp_path, pick)
    (tmp_path / "a/b/changed").write_text("2")
    (tmp_path / "a/b/gone").unlink()
    (tmp_path / "dir/x/y").unlink()
    (tmp_path / "dir/x").rmdir()
    (tmp_path / "new").symlink_to("same")
    (tmp_path / "skipped/z").write_text("2")
    changed, gone = changes(before, seen(tmp_path, pick))
    assert changed == {"a", "a/b", "a/b/changed", "dir", "new"}
    assert gone == ["a/b/gone", "dir/x"]


def test_nothing_changed_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    before = seen(tmp_path, lambda name: True)
    assert changes(before, seen(tmp_path, lambda name: True)) == (set(), [])
