"""Rebase, on a real registry."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from wherry.domain.errors import Conflict, PlatformFault
from wherry.domain.image import Image
from wherry.images.manifest import CONFIG, Document, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, push_image, read_image

from tests.builds.rebase_kit import app_on, bases_of, stack
from tests.images.conftest import HASTE
from tests.images.servers import Answer, Proxy, ResetAfter, running_proxy, running_registry


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    with running_registry(tmp_path) as url, running_proxy(url) as proxy:
        yield proxy


@pytest.fixture
def registry(proxy: Proxy) -> Iterator[Registry]:
    registry = Registry(proxy.url, patience=HASTE)
    yield registry
    registry.close()


def test_a_rebase_makes_the_very_image_that_a_build_on_the_new_base_makes(registry: Registry, tmp_path: Path) -> None:
    old = app_on(stack(registry, tmp_path, "one", "patch"), registry, tmp_path)
    newer = stack(registry, tmp_path, "two", labels={"io.buildpacks.base.released": "2026-02-01"})
    done = bases_of(newer, registry, tmp_path).rebase(old)
    assert done.base == newer.run.digest
    assert done.image == app_on(newer, registry, tmp_path)
    made = read_image(registry, "apps/7", done.image.digest)
    assert made.layers[0] == newer.run.layers[0]
    assert made.labels["io.buildpacks.base.released"] == "2026-02-01"
    assert made.annotations["org.opencontainers.image.base.digest"] == newer.run.digest
    back = bases_of(stack(registry, tmp_path, "one", "patch"), registry, tmp_path).rebase(done.image)
    assert back.image == old


def test_no_layer_moves_and_six_requests_are_all(registry: Registry, proxy: Proxy, tmp_path: Path) -> None:
    old = app_on(stack(registry, tmp_path, "one"), registry, tmp_path)
    bases = bases_of(stack(registry, tmp_path, "two"), registry, tmp_path)
    bases.rebase(old)  # reads the base, once
    other = app_on(stack(registry, tmp_path, "one"), registry, tmp_path, "apps/8")
    before = len(proxy.seen)
    bases.rebase(other)
    assert [line.partition("=")[0] for line in proxy.seen[before:]] == [
        "GET /v2/apps/8/manifests/sha256:…",
        "GET /v2/apps/8/blobs/sha256:…",
        "POST /v2/apps/8/blobs/uploads/?mount",
        "POST /v2/apps/8/blobs/uploads/",
        "PUT /v2/apps/8/blobs/uploads/…",
        "PUT /v2/apps/8/manifests/sha256:…",
    ]


def test_an_image_on_the_newest_base_stays_and_nothing_is_written(
    registry: Registry, proxy: Proxy, tmp_path: Path
) -> None:
    newest = stack(registry, tmp_path, "one")
    image = app_on(newest, registry, tmp_path)
    bases = bases_of(newest, registry, tmp_path)
    before = len(proxy.seen)
    assert bases.rebase(image).image == image
    assert {line.split()[0] for line in proxy.seen[before:]} == {"GET"}


def changed(registry: Registry, image: Image, change: Callable[[dict[str, str]], None]) -> Image:
    """The image with other labels."""
    stored = read_image(registry, image.repository, image.digest)
    labels = dict(stored.labels)
    change(labels)
    config = Document.of(CONFIG, {**stored.config, "config": {**stored.settings, "Labels": labels}})
    manifest = image_manifest(config, stored.layers, stored.annotations)
    return replace(image, digest=push_image(registry, image.repository, config, stored.layers, manifest))


def of_run_image(**more: object) -> Callable[[dict[str, str]], None]:
    def change(labels: dict[str, str]) -> None:
        metadata = json.loads(labels["io.buildpacks.lifecycle.metadata"])
        metadata["runImage"] |= more
        labels["io.buildpacks.lifecycle.metadata"] = json.dumps(metadata)

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda labels: labels.update({"io.buildpacks.rebasable": "false"}), "says io.buildpacks.rebasable=false"),
        (
            lambda labels: labels.update({"io.buildpacks.base.distro.version": "11"}),
            "version is 11, and the new base's 12",
        ),
        (lambda labels: labels.update({"io.buildpacks.stack.id": "io.other"}), "stack is io.other, and the new base's"),
        (of_run_image(image="paketo/run", mirrors=None), "its base is paketo/run, not the platform's stack/run"),
        (of_run_image(topLayer="sha256:0"), "has no layer sha256:0"),
        (of_run_image(topLayer=None), "does not say where its base ends"),
        (lambda labels: labels.pop("io.buildpacks.lifecycle.metadata"), "not made by buildpacks"),
        (lambda labels: labels.update({"io.buildpacks.lifecycle.metadata": "{"}), "cannot be read"),
        (lambda labels: labels.update({"io.buildpacks.lifecycle.metadata": "[]"}), "does not say"),
    ],
)
def test_what_the_labels_forbid_is_refused(
    change: Callable[[dict[str, str]], None], reason: str, registry: Registry, proxy: Proxy, tmp_path: Path
) -> None:
    image = changed(registry, app_on(stack(registry, tmp_path, "one"), registry, tmp_path), change)
    bases = bases_of(stack(registry, tmp_path, "two"), registry, tmp_path)
    before = len(proxy.seen)
    with pytest.raises(Conflict, match=reason):
        bases.rebase(image)
    assert {line.split()[0] for line in proxy.seen[before:]} == {"GET"}


def test_the_old_base_may_be_known_by_a_mirror(registry: Registry, tmp_path: Path) -> None:
    image = app_on(stack(registry, tmp_path, "one"), registry, tmp_path)
    image = changed(registry, image, of_run_image(image="elsewhere/run", mirrors=["stack/run"]))
    assert bases_of(stack(registry, tmp_path, "two"), registry, tmp_path).rebase(image).image != image


def test_a17_an_image_that_the_registry_lost_is_refused(registry: Registry, tmp_path: Path) -> None:
    image = app_on(stack(registry, tmp_path, "one"), registry, tmp_path)
    registry.delete_manifest(image.repository, image.digest)
    with pytest.raises(Conflict, match="its image cannot be read"):
        bases_of(stack(registry, tmp_path, "two"), registry, tmp_path).rebase(image)


def test_a_registry_that_cannot_mount_leaves_no_image(registry: Registry, proxy: Proxy, tmp_path: Path) -> None:
    image = app_on(stack(registry, tmp_path, "one"), registry, tmp_path)
    bases = bases_of(stack(registry, tmp_path, "two"), registry, tmp_path)
    proxy.fault = lambda method, path: Answer(202, {"Location": "/lost"}) if "mount=" in path else None
    before = len(proxy.seen)
    with pytest.raises(PlatformFault, match="cannot give apps/7 the layer"):
        bases.rebase(image)
    assert [line for line in proxy.seen[before:] if line.startswith("PUT")] == []


KILLED = """
import sys
from pathlib import Path
from wherry.domain.image import Image
from wherry.images.registry import Registry
from tests.builds.rebase_kit import bases_of, stack
registry, folder = Registry(sys.argv[1]), Path(sys.argv[2])
bases_of(stack(registry, folder, "two"), registry, folder).rebase(Image("apps/7", sys.argv[3]))
"""


def test_a15_a_rebase_killed_at_its_manifest_is_done_by_the_next_and_moves_no_layer(
    registry: Registry, proxy: Proxy, tmp_path: Path
) -> None:
    image = app_on(stack(registry, tmp_path, "one"), registry, tmp_path)
    running: list[subprocess.Popen[bytes]] = []

    def kill(method: str, path: str) -> ResetAfter | None:
        if method != "PUT" or "/v2/apps/7/manifests/" not in path:
            return None
        os.kill(running[0].pid, signal.SIGKILL)
        return ResetAfter(0)

    newer = stack(registry, tmp_path, "two")
    proxy.fault = kill
    with subprocess.Popen([sys.executable, "-c", KILLED, proxy.url, str(tmp_path), image.digest]) as process:
        running.append(process)
        assert process.wait(30) == -signal.SIGKILL
    proxy.fault = lambda method, path: None
    bases = bases_of(newer, registry, tmp_path)
    done = bases.rebase(image)
    before = len(proxy.seen)
    assert bases.rebase(image) == done
    assert proxy.count("PATCH") == 0
    assert len([line for line in proxy.seen[before:] if "uploads/…" in line]) == 1
    made: StoredImage = read_image(registry, "apps/7", done.image.digest)
    assert made.layers[0] == newer.run.layers[0]
