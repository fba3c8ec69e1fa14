import mmap
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.images import layer_cache
from wherry.images.entries import Tree
from wherry.images.layer_cache import LayerCache, fingerprint
from wherry.images.layers import pack


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    folder = tmp_path / "deps"
    (folder / "lib").mkdir(parents=True)
    for number in range(5):
        (folder / f"lib/{number}.py").write_text(f"{number}")
    return Tree(folder, "/layers/p/deps", owner=(1000, 1000))


@pytest.fixture
def cache(tmp_path: Path) -> LayerCache:
    return LayerCache(tmp_path / "cache")


def test_an_unchanged_folder_is_known_without_reading_a_file(tree: Tree, cache: LayerCache, tmp_path: Path) -> None:
    seen = fingerprint(tree)
    assert cache.known(seen) is None
    layer = pack(tree.entries(), tmp_path / "blobs")
    cache.remember(layer, seen)
    reads = {path: path.stat().st_atime_ns for path in tree.folder.rglob("*.py")}
    known = cache.known(fingerprint(tree))
    assert known == layer
    assert known is not None
    assert known.path is None
    assert {path: path.stat().st_atime_ns for path in reads} == reads


def test_a_folder_that_was_only_moved_is_still_known(tree: Tree, cache: LayerCache, tmp_path: Path) -> None:
    cache.remember(layer := pack(tree.entries(), tmp_path / "blobs"), fingerprint(tree))
    moved = Tree(tree.folder.rename(tmp_path / "elsewhere"), tree.prefix, tree.owner)
    assert cache.known(fingerprint(moved)) == layer


def same_size_and_time(path: Path) -> None:
    status = path.stat()
    path.write_text("X")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def by_memory(path: Path) -> None:
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[0:1] = b"X"


def another_target(path: Path) -> None:
    link = path.parent.parent / "link"
    link.unlink()
    link.symlink_to("lib/2.py")


def swapped(path: Path) -> None:
    path.rename(path.with_name("aside"))
    path.with_name("2.py").rename(path)
    path.with_name("aside").rename(path.with_name("2.py"))


def replaced_whole(path: Path) -> None:
    shutil.copytree(path.parent, path.parent.with_name("copy"))
    shutil.rmtree(path.parent)
    path.parent.with_name("copy").rename(path.parent)


CHANGES: dict[str, Callable[[Path], object]] = {
    "content, of the same size and time": same_size_and_time,
    "content, through memory": by_memory,
    "length": lambda path: os.truncate(path, 0),
    "mode": lambda path: path.chmod(0o600),
    "mode of a folder": lambda path: path.parent.chmod(0o700),
    "mode of the layer's own folder": lambda path: path.parent.parent.chmod(0o700),
    "owner": lambda path: os.chown(path, *((1, 1) if os.geteuid() == 0 else (os.geteuid(), os.getegid()))),
    "attribute": lambda path: os.setxattr(path, "user.wherry", b"1"),
    "target": another_target,
    "name": lambda path: path.rename(path.with_name("renamed")),
    "name that is no text": lambda path: path.rename(os.fsdecode(os.fsencode(path.parent) + b"/\xff")),
    "place": lambda path: path.rename(path.parent.parent / path.name),
    "two places": swapped,
    "deletion": lambda path: path.unlink(),
    "deletion at the top": lambda path: (path.parent.parent / "link").unlink(),
    "new file": lambda path: path.with_name("new").write_text(""),
    "new empty folder": lambda path: path.with_name("new").mkdir(),
    "hard link": lambda path: path.with_name("second").hardlink_to(path),
    "hard link elsewhere": lambda path: (path.parent.parent.parent / "elsewhere").hardlink_to(path),
    "link for a file": lambda path: (path.unlink(), path.symlink_to("0.py")),
    "the same again": replaced_whole,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_below_is_seen(change: Callable[[Path], object], tree: Tree, tmp_path: Path) -> None:
    (tree.folder / "link").symlink_to("lib/1.py")
    before = fingerprint(tree)
    until_the_kernels_clock_moves(tmp_path / "mark")
    change(tree.folder / "lib/3.py")
    assert fingerprint(tree) != before


def until_the_kernels_clock_moves(mark: Path) -> None:
    """It writes times of change by a clock of a few ms."""
    mark.touch()
    first = mark.stat().st_ctime_ns
    while mark.stat().st_ctime_ns == first:
        mark.touch()


def test_what_cannot_be_a_layer_is_refused_before_it_is_known(tree: Tree) -> None:
    (tree.folder / "link").symlink_to(tree.folder / "lib")
    for folder in ("link", "lib/0.py"):
        with pytest.raises(InvalidInput, match="is not a folder"):
            fingerprint(Tree(tree.folder / folder, tree.prefix))
    with pytest.raises(PlatformFault, match="cannot be read"):
        fingerprint(Tree(tree.folder / "missing", tree.prefix))
    long = Path(os.fsdecode(b"\xff" * 250))
    (tree.folder / Path(*[long] * 14)).mkdir(parents=True)
    with pytest.raises(InvalidInput, match="longer than 3500 bytes"):
        fingerprint(tree)


def test_another_place_or_owner_is_another_layer(tree: Tree) -> None:
    assert (
        len({fingerprint(tree), fingerprint(Tree(tree.folder, "/x", tree.owner)), fingerprint(Tree(tree.folder, "/x"))})
        == 3
    )


@pytest.mark.parametrize("text", ["", "{", "[]", '{"digest": 3}', '{"digest": "sha256:x", "size": 1}', "null"])
def test_a_broken_record_counts_as_none(text: str, tree: Tree, cache: LayerCache, tmp_path: Path) -> None:
    seen = fingerprint(tree)
    cache.remember(pack(tree.entries(), tmp_path / "blobs"), seen)
    for path in cache.folder.iterdir():
        path.write_text(text)
    assert cache.known(seen) is None


def test_another_compressor_makes_other_blobs(
    tree: Tree, cache: LayerCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.remember(layer := pack(tree.entries(), tmp_path / "blobs"))
    assert cache.of(layer.diff_id) == layer
    monkeypatch.setattr(layer_cache, "COMPRESSOR", "isal-9-gzip-2")
    assert cache.of(layer.diff_id) is None


def test_old_records_are_swept(cache: LayerCache, tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_cache, "_MOST_RECORDS", 3)
    layer = pack(tree.entries(), tmp_path / "blobs")
    for number in range(5):
        cache.remember(layer, f"{number:064}")
    assert len(list(cache.folder.iterdir())) == 3
    assert cache.known(f"{4:064}") == layer


def test_many_threads_may_remember_at_once(cache: LayerCache, tree: Tree, tmp_path: Path) -> None:
    layer = pack(tree.entries(), tmp_path / "blobs")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: cache.remember(layer, f"{number:064}"), range(200)))
    assert all(cache.known(f"{number:064}") == layer for number in range(200))
