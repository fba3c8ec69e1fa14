"""What is read below folders that hostile code wrote into, and TOML as it comes from there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from wherry.builds import beneath, toml_files
from wherry.builds.disk import need_free
from wherry.domain.errors import InvalidInput, PlatformFault


def test_a_regular_file_is_read_and_a_missing_one_is_none(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_bytes(b"x")
    assert beneath.read(tmp_path, "a/b/c", 10) == b"x"
    assert beneath.read(tmp_path, "a/b/nothing", 10) is None
    assert beneath.read(tmp_path, "nothing/c", 10) is None
    assert beneath.names(tmp_path, "a/b") == ["c"]
    assert beneath.names(tmp_path, "nothing") == []
    assert beneath.mode(tmp_path, "nothing/x") == 0


@pytest.mark.parametrize("place", ["file", "folder"])
def test_t11_a_link_is_never_followed(tmp_path: Path, place: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_text("secret")
    if place == "file":
        (root / "a").mkdir()
        (root / "a/file").symlink_to(tmp_path / "secret")
    else:
        (tmp_path / "file").write_text("secret")
        (root / "a").symlink_to(tmp_path)
    with pytest.raises(InvalidInput, match="not a"):
        beneath.read(root, "a/file", 100)


def test_a_fifo_does_not_hang_the_reader_and_a_folder_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "folder"):
        with pytest.raises(InvalidInput, match="not a regular file"):
            beneath.read(tmp_path, name, 100)


@pytest.mark.parametrize("path", ["../x", "a/../../x", "a//b", "./x", ""])
def test_no_path_leads_out(tmp_path: Path, path: str) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(InvalidInput):
        beneath.read(tmp_path, path, 100)


def test_what_is_too_long_or_too_much_is_refused(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 11)
    with pytest.raises(InvalidInput, match="longer than 10 bytes"):
        beneath.read(tmp_path, "long", 10)
    (tmp_path / "more").touch()
    with pytest.raises(InvalidInput, match="2 entries"):
        beneath.names(tmp_path, "", most=1)


@pytest.mark.parametrize(
    "content",
    [
        b"a = 1\na = 2",
        b"a = " + b"[" * 100_000,
        b"a = " + b"9" * 5_000,
        b"\xff\xfe",
        b"a",
        b"x" * (toml_files.MOST_BYTES + 1),
    ],
    ids=["duplicate", "deep", "huge-integer", "not-utf-8", "no-value", "too-long"],
)
def test_b15_toml_that_is_none_is_refused_with_its_file(content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"x\.toml"):
        toml_files.parse(content, "x.toml")


def test_b15_values_of_another_type_are_refused_with_their_place() -> None:
    table = toml_files.parse(b't = 1\n[[l]]\nname = 2\n[[l]]\nname = "a\\u0000"\n', "x.toml")
    for read in (
        lambda: table.text("t"),
        lambda: table.flag("t"),
        lambda: table.texts("t"),
        lambda: table.table("t"),
        lambda: table.tables("t"),
    ):
        with pytest.raises(InvalidInput, match=r"x\.toml: t is not"):
            read()
    with pytest.raises(InvalidInput, match=r"x\.toml: l\[0\]: name is not a string"):
        table.tables("l")[0].text("name")
    with pytest.raises(InvalidInput, match="without NUL"):
        table.tables("l")[1].text("name")


def test_what_is_rendered_is_read_again() -> None:
    values = {"metadata": {"key": 'it\'s "quoted"\n', "list": [1, 2], "table": {"a": True}}}
    assert toml_files.parse(toml_files.render(values), "x").values == values


def test_a12_a_disk_that_is_nearly_full_is_a_fault_of_ours_before_anything_is_written(tmp_path: Path) -> None:
    need_free(tmp_path, 1)
    with pytest.raises(PlatformFault, match="MiB free, and builds begin with 1000000000 MiB"):
        need_free(tmp_path, 10**9)
