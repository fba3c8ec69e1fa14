"""Removed images give their space back, and no other image loses anything."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from wherry.images.entries import of_files
from wherry.images.layers import pack
from wherry.images.manifest import image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import push_image, read_image
from wherry.supervisor.registry_store import EVERY, collect_garbage

from tests.images.servers import running_registry

PROGRAM = shutil.which("docker-registry") or shutil.which("registry") or ""


def pushed(registry: Registry, folder: Path, text: str) -> str:
    shared = pack(of_files({"/shared": (b"s" * 4000, 0o644)}), folder, note="shared")
    own = pack(of_files({"/own": (os.urandom(50_000) + text.encode(), 0o644)}), folder, note="own")
    config = image_config([shared, own], {})
    return push_image(registry, "apps/1", config, [shared, own], image_manifest(config, [shared, own], {}))


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_the_space_of_a_removed_image_comes_back_once_a_day(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    said: list[str] = []
    blobs = tmp_path_factory.mktemp("blobs")
    collect_garbage(PROGRAM, tmp_path, said.append)
    assert said == []
    with running_registry(tmp_path) as url:
        registry = Registry(url)
        kept, gone = pushed(registry, blobs, "kept"), pushed(registry, blobs, "gone")
        registry.delete_manifest("apps/1", gone)
        registry.close()
    before = size(tmp_path / "data")
    collect_garbage(PROGRAM, tmp_path, said.append)
    assert size(tmp_path / "data") < before - 50_000
    assert said == ["registry: giving back the space of removed images"]
    collect_garbage(PROGRAM, tmp_path, said.append)
    assert len(said) == 1
    stamp = tmp_path / "collected"
    os.utime(stamp, (stamp.stat().st_mtime - EVERY - 1,) * 2)
    collect_garbage(PROGRAM, tmp_path, said.append)
    with running_registry(tmp_path) as url:
        registry = Registry(url)
        image = read_image(registry, "apps/1", kept)
        assert all(registry.has_blob("apps/1", layer.digest) for layer in image.layers)
        registry.close()
