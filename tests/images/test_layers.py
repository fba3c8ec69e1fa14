import gzip
import hashlib
import io
import os
import random
import resource
import socket
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.images.entries import Entry, Tree, of_files, whiteouts
from wherry.images.layers import TIME, Layer, pack


def members(layer: Layer) -> dict[str, tarfile.TarInfo]:
    assert layer.path is not None
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer.path.read_bytes())), errors="surrogateescape") as tar:
        return {each.name: each for each in tar.getmembers()}


def content(layer: Layer, name: str) -> bytes:
    assert layer.path is not None
    with tarfile.open(layer.path) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "lib/deep").mkdir(parents=True)
    (folder / "lib/b.py").write_text("b")
    (folder / "lib/a.py").write_text("a" * 1000)
    (folder / "lib/deep/run").write_text("#!/bin/sh\n")
    (folder / "lib/deep/run").chmod(0o755)
    (folder / "lib-extra").write_text("")
    return folder


def test_a_folder_is_packed_in_order_with_its_parents_and_one_owner_and_time(source: Path, tmp_path: Path) -> None:
    layer = pack(Tree(source, "/layers/some_pack/deps", owner=(1000, 1000)).entries(), tmp_path / "blobs")
    found = members(layer)
    top = "layers/some_pack/deps"
    below = ["lib", "lib/a.py", "lib/b.py", "lib/deep", "lib/deep/run", "lib-extra"]
    assert list(found) == ["layers", "layers/some_pack", top, *(f"{top}/{name}" for name in below)]
    assert {(each.uid, each.gid) for name, each in found.items() if name.startswith(top)} == {(1000, 1000)}
    assert {(each.uid, each.gid, each.mode) for name, each in found.items() if not name.startswith(top)} == {
        (0, 0, 0o755)
    }
    assert {each.mtime for each in found.values()} == {TIME}
    assert {each.uname + each.gname for each in found.values()} == {""}
    assert found[f"{top}/lib/deep/run"].mode == 0o755
    assert content(layer, f"{top}/lib/a.py") == b"a" * 1000


def test_digests_and_size_are_those_of_the_blob_and_of_its_tar(source: Path, tmp_path: Path) -> None:
    layer = pack(Tree(source, "/x").entries(), tmp_path)
    assert layer.path is not None
    blob = layer.path.read_bytes()
    assert layer.digest == "sha256:" + hashlib.sha256(blob).hexdigest()
    assert layer.diff_id == "sha256:" + hashlib.sha256(gzip.decompress(blob)).hexdigest()
    assert layer.size == len(blob)


def test_the_same_files_make_the_same_layer_wherever_and_whenever(source: Path, tmp_path: Path) -> None:
    first = pack(Tree(source, "/x", owner=(1, 1)).entries(), tmp_path / "one")
    moved = source.rename(tmp_path / "moved")
    for path in moved.rglob("*"):
        os.utime(path, (5, 5))
    assert pack(Tree(moved, "/x", owner=(1, 1)).entries(), tmp_path / "two") == first


def test_t10_symlinks_stay_symlinks_and_are_never_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("host")
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "abs").symlink_to(tmp_path / "secret")
    (folder / "dir").symlink_to("/etc")
    (folder / "loop").symlink_to("loop")
    found = members(pack(Tree(folder, "/x").entries(), tmp_path / "blobs"))
    assert [(each.name, each.linkname) for each in found.values() if each.issym()] == [
        ("x/abs", str(tmp_path / "secret")),
        ("x/dir", "/etc"),
        ("x/loop", "loop"),
    ]
    assert len(found) == 4


def test_t10_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(InvalidInput, match="is not a folder"):
        pack(Tree(tmp_path / "link", "/x").entries(), tmp_path / "blobs")
    assert list((tmp_path / "blobs").iterdir()) == []


def test_sockets_and_fifos_are_left_out_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
        said: list[str] = []
        found = members(pack(Tree(folder, "/x").entries(said.append), tmp_path / "blobs"))
    assert list(found) == ["x"]
    assert said == ["fifo is left out of the image: a fifo", "socket is left out of the image: a socket"]


def test_setuid_bits_and_xattrs_of_users_files_are_dropped(source: Path, tmp_path: Path) -> None:
    (source / "lib/b.py").chmod(0o6755)
    os.setxattr(source / "lib/b.py", "user.note", b"x")
    found = members(pack(Tree(source, "/x", owner=(1000, 1000)).entries(), tmp_path / "blobs"))
    assert (found["x/lib/b.py"].mode, found["x/lib/b.py"].pax_headers) == (0o755, {})
    kept = members(pack(Tree(source, "/x").entries(), tmp_path / "blobs"))
    assert kept["x/lib/b.py"].mode == 0o6755


def test_the_group_gets_the_owners_rights_where_asked(source: Path, tmp_path: Path) -> None:
    (source / "lib/a.py").chmod(0o600)
    (source / "lib").chmod(0o700)
    found = members(pack(Tree(source, "/w", (1000, 1000), group_writes=True).entries(), tmp_path / "blobs"))
    assert (found["w/lib"].mode, found["w/lib/a.py"].mode, found["w/lib/deep/run"].mode) == (0o770, 0o660, 0o775)


def test_names_are_kept_byte_for_byte(tmp_path: Path) -> None:
    names = ["é", "a\nb", os.fsdecode(b"\xff\xfe"), "n" * 250, "sp ace", "-x", "\\back"]
    folder = tmp_path / "source"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("")
        (folder / f"l{name[:200]}").symlink_to(name)
    found = members(pack(Tree(folder, "/x").entries(), tmp_path / "blobs"))
    assert {f"x/{name}" for name in names} <= set(found)
    assert {each.linkname for each in found.values() if each.issym()} == set(names)


def test_b38_a_path_too_long_for_any_system_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    with pytest.raises(InvalidInput, match="longer than 3500 bytes"):
        pack(Tree(folder, "/x").entries(), tmp_path / "blobs")


def test_a_tree_a_thousand_folders_deep_is_packed(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    subprocess.run(["mkdir", "-p", "/".join("d" * 1500)], cwd=folder, check=True)
    found = members(pack(Tree(folder, "/x").entries(), tmp_path / "blobs"))
    subprocess.run(["rm", "-rf", folder], check=True)  # shutil's own removal recurses too deep
    assert len(found) == 1501


def test_hard_links_are_stored_once(source: Path, tmp_path: Path) -> None:
    os.link(source / "lib/a.py", source / "lib/twin.py")
    found = members(pack(Tree(source, "/x").entries(), tmp_path / "blobs"))
    assert (found["x/lib/twin.py"].type, found["x/lib/twin.py"].linkname) == (tarfile.LNKTYPE, "x/lib/a.py")


def test_a_file_that_changes_under_the_reader_fails_the_layer(source: Path, tmp_path: Path) -> None:
    entries = list(Tree(source, "/x").entries())
    (source / "lib/a.py").write_text("shorter")
    with pytest.raises(PlatformFault, match=r"/x/lib/a\.py changed while it was packed"):
        pack(entries, tmp_path / "blobs")
    assert list((tmp_path / "blobs").iterdir()) == []


def test_a_file_that_became_a_link_is_not_followed(source: Path, tmp_path: Path) -> None:
    entries = list(Tree(source, "/x").entries())
    (source / "lib/a.py").unlink()
    (source / "lib/a.py").symlink_to("/etc/hostname")
    with pytest.raises(PlatformFault, match="cannot be packed"):
        pack(entries, tmp_path / "blobs")


def test_files_from_memory_come_with_parents_and_links(tmp_path: Path) -> None:
    files = {
        "/cnb/process/web": (b"/cnb/lifecycle/launcher", 0o120000),
        "/cnb/lifecycle/launcher": (b"#!/bin/sh\n", 0o755),
    }
    found = members(pack(of_files(files, folders={"/workspace": 0o775}), tmp_path))
    assert [(name, each.type, each.mode, each.linkname) for name, each in found.items()] == [
        ("cnb", tarfile.DIRTYPE, 0o755, ""),
        ("cnb/lifecycle", tarfile.DIRTYPE, 0o755, ""),
        ("cnb/lifecycle/launcher", tarfile.REGTYPE, 0o755, ""),
        ("cnb/process", tarfile.DIRTYPE, 0o755, ""),
        ("cnb/process/web", tarfile.SYMTYPE, 0o777, "/cnb/lifecycle/launcher"),
        ("workspace", tarfile.DIRTYPE, 0o775, ""),
    ]


@pytest.mark.parametrize("path", ["relative", "/a/../b", "/a//b", "/a/", "/a\0b", ""])
def test_files_from_memory_need_plain_absolute_paths(path: str) -> None:
    with pytest.raises(InvalidInput):
        of_files({path: (b"", 0o644)})


def test_whiteouts_hide_what_a_lower_layer_has(tmp_path: Path) -> None:
    assert list(members(pack(whiteouts(["/usr/b", "/a"]), tmp_path))) == [".wh.a", "usr/.wh.b"]


def test_what_is_not_picked_is_left_out_with_all_below(source: Path, tmp_path: Path) -> None:
    found = members(pack(Tree(source, "/x", pick=lambda name: name != "lib").entries(), tmp_path))
    assert list(found) == ["x", "x/lib-extra"]


def test_memory_stays_flat_for_large_files(tmp_path: Path) -> None:
    folder = tmp_path / "big"
    folder.mkdir()
    with (folder / "file").open("wb") as file:
        for _ in range(64):
            file.write(random.randbytes(1024 * 1024))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    layer = pack(Tree(folder, "/x").entries(), tmp_path / "blobs")
    assert layer.size > 60 * 1024 * 1024
    assert sys.platform == "linux"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 24 * 1024


@given(
    st.dictionaries(
        st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=40).filter(
            lambda name: name not in {".", ".."} and len(name.encode()) < 250
        ),
        st.binary(max_size=2000),
        max_size=6,
    )
)
def test_any_tree_comes_back_as_it_was(files: dict[str, bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        entries = [Entry(f"/{name}", stat.S_IFREG | 0o644, 0, 0, content=data) for name, data in files.items()]
        layer = pack(entries, Path(folder))
        assert {name: content(layer, name) for name in members(layer)} == files
