import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
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


@pytest.mark.parametrize(
    "change",
    [
        same_size_and_time,
        lambda path: path.chmod(0o600),
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_name("renamed")),
        lambda path: path.with_name("new").write_text(""),
        lambda path: (path.unlink(), path.symlink_to("0.py")),
    ],
)
def test_any_change_below_is_seen(change: object, tree: Tree) -> None:
    before = fingerprint(tree)
    change(tree.folder / "lib/3.py")  # type: ignore[operator]
    assert fingerprint(tree) != before


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
