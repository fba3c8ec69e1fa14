"""Cached layers as tars: what goes in comes out, and nothing else."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from wherry.builds import pod_tar
from wherry.domain.errors import InvalidInput


def test_a_folder_comes_back_with_its_modes_times_and_links(tmp_path: Path) -> None:
    layer = tmp_path / "top/pack/layer"
    (layer / "bin").mkdir(parents=True)
    (layer / "bin/tool").write_bytes(b"#!/bin/sh\n")
    (layer / "bin/tool").chmod(0o711)
    (layer / "bin/same").hardlink_to(layer / "bin/tool")
    (layer / "python").symlink_to("/usr/bin/python3")
    (layer / "ż\udcff").write_bytes(b"odd")
    os.mkfifo(layer / "fifo")
    os.utime(layer / "bin/tool", ns=(1, 1_234_567_890_500_000_000))
    os.utime(layer / "bin", ns=(1, 1_000_000_000_000_000_000))
    (layer.parent / "layer.toml").write_bytes(b"metadata = 1")

    packed = pod_tar.pack(tmp_path / "top", ["pack/layer", "pack/layer.toml"], tmp_path)
    assert packed.path
    pod_tar.unpack(packed.path, tmp_path / "there")
    there = tmp_path / "there/pack/layer"
    assert sorted(each.name for each in there.iterdir()) == ["bin", "python", "ż\udcff"]
    assert (there / "python").readlink() == Path("/usr/bin/python3")
    assert (there / "bin/tool").stat().st_mode & 0o777 == 0o711
    assert (there / "bin/tool").stat().st_mtime_ns == 1_234_567_890_500_000_000
    assert (there / "bin").stat().st_mtime == 1_000_000_000
    assert (there / "bin/same").samefile(there / "bin/tool")
    assert (there.parent / "layer.toml").read_bytes() == b"metadata = 1"
    again = pod_tar.pack(tmp_path / "there", ["pack/layer", "pack/layer.toml"], tmp_path)
    assert again.size > 0


def _entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


@pytest.mark.parametrize(
    "entries",
    [
        [_entry("../out/file")],
        [_entry("/out/file")],
        [_entry("a/../../file")],
        [_entry("out", tarfile.SYMTYPE, "/"), _entry("out/file")],
        [_entry("a/b", tarfile.SYMTYPE, "/tmp"), _entry("a/b/file")],
        [_entry("a/hard", tarfile.LNKTYPE, "/etc/passwd")],
        [_entry("a/hard", tarfile.LNKTYPE, "../passwd")],
        [_entry("a/link", tarfile.SYMTYPE, "/etc/passwd"), _entry("a/hard", tarfile.LNKTYPE, "a/link")],
        [_entry("a/device", tarfile.CHRTYPE)],
        [_entry("a/fifo", tarfile.FIFOTYPE)],
    ],
)
def test_t11_a_tar_that_leads_out_of_its_folder_is_refused(tmp_path: Path, entries: list[tarfile.TarInfo]) -> None:
    with tarfile.open(tmp_path / "tar", "w:gz") as tar:
        for entry in entries:
            tar.addfile(entry, io.BytesIO())
    with pytest.raises(InvalidInput):
        pod_tar.unpack(tmp_path / "tar", tmp_path / "there")
    assert not [each for each in tmp_path.rglob("file") if "there" not in each.parts]
    assert not (tmp_path / "there/a/hard").exists()


def test_a_tar_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_bytes(os.urandom(100_000))
    packed = pod_tar.pack(tmp_path, ["a/b"], tmp_path)
    assert packed.path
    (tmp_path / "cut").write_bytes(packed.path.read_bytes()[:50_000])
    with pytest.raises(InvalidInput, match="broken"):
        pod_tar.unpack(tmp_path / "cut", tmp_path / "there")
