"""Unpacking a source archive: only files, folders and links come out, and none outside."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest
from wherry.builds.disk import remove
from wherry.builds.unpack import unpack
from wherry.domain.errors import BuildFailed, BuildFailure, PlatformFault


def archive(path: Path, *entries: tuple[str, str | bytes, int]) -> Path:
    """(name, content, mode); a str content makes a link, mode 0 a folder."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, content, mode in entries:
            entry = tarfile.TarInfo(name)
            entry.mode = mode
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
            elif mode == 0:
                entry.type = tarfile.DIRTYPE
            else:
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content if isinstance(content, bytes) else b""))
    return path


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def test_files_folders_and_links_come_out_with_plain_modes(tmp_path: Path, app: Path) -> None:
    made = archive(
        tmp_path / "x.tar",
        ("a/b/run", b"#!", 0o100755),
        ("a/text", b"x" * 3_000_000, 0o4600),
        ("empty", b"", 0),
        ("link", "a/b/run", 0o777),
        ("a/up", "../link", 0o777),
        ("weird\n\x1b", b"", 0o644),
    )
    unpack(made, app, None)
    assert (app / "a/text").stat().st_size == 3_000_000
    modes = {name: stat.S_IMODE((app / name).lstat().st_mode) for name in ("a/b/run", "a/text", "a", "empty")}
    assert modes == {"a/b/run": 0o755, "a/text": 0o644, "a": 0o755, "empty": 0o755}
    assert os.readlink(app / "a/up") == "../link"
    assert (app / "weird\n\x1b").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_everything_belongs_to_the_builds_user(tmp_path: Path, app: Path) -> None:
    made = archive(tmp_path / "x.tar", ("a/b", b"", 0o644), ("a/link", "b", 0o777))
    unpack(made, app, (1000, 1001))
    for path in (app, app / "a", app / "a/b", app / "a/link"):
        assert (path.lstat().st_uid, path.lstat().st_gid) == (1000, 1001)


@pytest.mark.parametrize(
    "entries",
    [
        [("../x", b"", 0o644)],
        [("/etc/x", b"", 0o644)],
        [("a/../../x", b"", 0o644)],
        [("a//b", b"", 0o644)],
        [("./x", b"", 0o644)],
        [("link", "/etc/passwd", 0o777)],
        [("link", "../outside", 0o777)],
        [("a/link", "../../outside", 0o777)],
        [("link", "other", 0o777), ("other", "..", 0o777)],
        [("d", ".", 0o777), ("d/x", b"", 0o644)],
        [("d", "e", 0o777), ("e", b"", 0), ("d/x", b"", 0o644)],
        [("x", b"", 0o644), ("x", b"", 0o644)],
        [("x", b"", 0o644), ("x/y", b"", 0o644)],
        [("x", b"", 0o644), ("x", "y", 0o777)],
    ],
)
def test_b80_an_entry_that_is_not_to_be_is_refused_and_nothing_is_outside(
    tmp_path: Path, app: Path, entries: list[tuple[str, str | bytes, int]]
) -> None:
    before = set(tmp_path.iterdir()) | {tmp_path / "x.tar"}
    with pytest.raises(BuildFailed) as caught:
        unpack(archive(tmp_path / "x.tar", *entries), app, None)
    assert caught.value.kind is BuildFailure.BAD_SOURCE
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_b80_hard_links_and_devices_are_refused(tmp_path: Path, app: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("there"))
        entry = tarfile.TarInfo("odd")
        entry.type, entry.linkname = kind, "there"
        tar.addfile(entry)
    with pytest.raises(BuildFailed, match="odd is neither a file, a folder nor a link"):
        unpack(tmp_path / "x.tar", app, None)


def test_b81_an_archive_that_is_cut_off_is_our_fault(tmp_path: Path, app: Path) -> None:
    made = archive(tmp_path / "x.tar", ("a", b"x" * 100_000, 0o644))
    made.write_bytes(made.read_bytes()[:700])
    with pytest.raises(PlatformFault, match="the source"):
        unpack(made, app, None)
    with pytest.raises(PlatformFault, match="the source"):
        unpack(tmp_path / "nowhere.tar", app, None)


def test_a_tree_deeper_than_any_recursion_is_removed(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    os.mkdir("top", dir_fd=here)
    try:
        for name in ("top", *["d"] * 3000):
            if name == "d":
                os.mkdir(name, dir_fd=here)
            below = os.open(name, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    remove(tmp_path / "top")
    remove(tmp_path / "top")
    assert not (tmp_path / "top").exists()
