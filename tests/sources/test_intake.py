"""Uploaded archives: what comes in as a tree, and what is refused with nothing written (security.md T11, B80, B81)."""

from __future__ import annotations

import gzip
import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from wherry.domain.errors import InvalidInput, NotFound, PushRefused
from wherry.hook import FOLDER
from wherry.sources.policy import Limits
from wherry.sources.repositories import Repositories
from wherry.sources.uploads import UploadFolder


@pytest.fixture
def repositories(tmp_path: Path) -> Repositories:
    return Repositories(tmp_path / "repos", FOLDER, Limits(tree=1 << 20, files=50))


def member(name: str, content: bytes = b"", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


def packed(folder: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> Path:
    archive = folder / "upload"
    with tarfile.open(archive, mode) as tar:  # type: ignore[call-overload]
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return archive


def listed(source_archive: str) -> dict[str, tuple[int, bytes]]:
    with tarfile.open(source_archive) as tar:
        return {
            each.name: (
                each.mode,
                (tar.extractfile(each) or io.BytesIO()).read() if each.isfile() else each.linkname.encode(),
            )
            for each in tar
            if not each.isdir()
        }


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_files_programs_and_links_come_in_as_they_are(repositories: Repositories, tmp_path: Path, mode: str) -> None:
    archive = packed(
        tmp_path,
        member("./Procfile", b"web: run\n"),
        member('./bin/a "quoted" name', b"#!/bin/sh\n", mode=0o4755),
        member("./link", type=tarfile.SYMTYPE, linkname="Procfile"),
        member("./zażółć", b"\xff\x00"),
        mode=mode,
    )
    source = repositories.take_in(1, archive, "v1")
    assert listed(source.archive) == {
        "Procfile": (0o644, b"web: run\n"),
        'bin/a "quoted" name': (0o755, b"#!/bin/sh\n"),
        "link": (0o777, b"Procfile"),
        "zażółć": (0o644, b"\xff\x00"),
    }
    assert repositories.take_in(1, archive, "v1") == source


def test_one_folder_around_all_is_taken_off(repositories: Repositories, tmp_path: Path) -> None:
    archive = packed(tmp_path, member("app-1.0/Procfile", b"web: run\n"), member("app-1.0/lib/x", b"x"))
    assert set(listed(repositories.take_in(1, archive, "v1").archive)) == {"Procfile", "lib/x"}


def test_b80_entries_that_no_tree_has_are_refused_all_at_once_and_leave_nothing(
    repositories: Repositories, tmp_path: Path
) -> None:
    archive = packed(
        tmp_path,
        member("Procfile", b"web: run\n"),
        member("../outside", b"x"),
        member("/etc/cron.d/x", b"x"),
        member("hard", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
        member("device", type=tarfile.CHRTYPE),
        member("pipe", type=tarfile.FIFOTYPE),
    )
    with pytest.raises(InvalidInput) as refused:
        repositories.take_in(1, archive, "v1")
    assert [line.partition(":")[0] for line in refused.value.evidence] == [
        "../outside",
        "/etc/cron.d/x",
        "hard",
        "device",
        "pipe",
    ]
    refs = subprocess.run(["git", "-C", repositories.path(1), "for-each-ref"], capture_output=True, check=True).stdout
    assert refs == b""


@pytest.mark.parametrize(
    ("name", "link"),
    [("a/.git/config", ""), ("C:\\x", ""), ("new\nline", ""), ("out", "../../etc/passwd"), ("x" * 300, "")],
)
def test_b80_names_and_links_are_judged_as_a_pushs_are(
    repositories: Repositories, tmp_path: Path, name: str, link: str
) -> None:
    kind = {"type": tarfile.SYMTYPE, "linkname": link} if link else {}
    with pytest.raises(PushRefused):
        repositories.take_in(1, packed(tmp_path, member("Procfile", b"x"), member(name, **kind)), "v1")


def test_b81_bombs_truncated_ones_and_other_formats_are_refused(repositories: Repositories, tmp_path: Path) -> None:
    whole = packed(tmp_path, member("Procfile", b"x" * 5000)).read_bytes()
    bad = {
        "truncated": whole[: len(whole) // 2],
        "bytes": b"PK\x03\x04 is a zip",
        "empty": b"",
        "broken": gzip.compress(b"\0" * 100 + b"x" * 1000),
        "large": packed(tmp_path, member("big", b"\0" * (2 << 20))).read_bytes(),
        "many": packed(tmp_path, *(member(f"f{number}") for number in range(60))).read_bytes(),
    }
    for name, content in bad.items():
        archive = tmp_path / name
        archive.write_bytes(content)
        with pytest.raises(InvalidInput):
            repositories.take_in(1, archive, "v1")


def test_an_upload_is_kept_whole_or_not_at_all_and_only_by_its_own_token(tmp_path: Path) -> None:
    uploads, token = UploadFolder(tmp_path / "uploads", most=10), "0" * 32
    with pytest.raises(InvalidInput, match="larger"):
        uploads.keep(token, [b"123456", b"789012"])
    with pytest.raises(NotFound):
        uploads.path(token)
    uploads.keep(token, [b"12345", b"67890"])
    assert uploads.path(token).read_bytes() == b"1234567890"
    for other in ("1" * 32, "../../etc/passwd", ""):
        with pytest.raises(NotFound):
            uploads.path(other)
    uploads.remove(token)
    assert list((tmp_path / "uploads").iterdir()) == []
    gone = tmp_path / "uploads" / ("2" * 32)
    gone.symlink_to("nowhere")  # as one that another upload removes just then
    uploads.keep(token, [b"1"])
    assert uploads.path(token).read_bytes() == b"1"
