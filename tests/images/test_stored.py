import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from wherry.domain.errors import InvalidInput, NotFound, PlatformFault
from wherry.images.entries import of_files
from wherry.images.layers import Layer, pack
from wherry.images.manifest import INDEX, Document, architecture, image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, copy_image, mount_image, push_image, push_layer, read_image

from tests.images.servers import Answer, Proxy, ResetAfter, running_registry


def layer(blobs: Path, text: str, size: int = 0) -> Layer:
    return pack(of_files({"/file": (text.encode() + os.urandom(size), 0o644)}), blobs)


def image(registry: Registry, repository: str, layers: list[Layer]) -> str:
    config = image_config(layers, {"Env": ["A=b=c", "D="], "Labels": {"x": "y"}, "User": "1001"})
    manifest = image_manifest(config, layers, {"note": "n"})
    return push_image(registry, repository, config, layers, manifest)


def test_an_image_is_read_as_it_was_pushed(registry: Registry, blobs: Path) -> None:
    layers = [layer(blobs, "a"), layer(blobs, "b", 2_000_000)]
    digest = image(registry, "app", layers)
    stored = read_image(registry, "app", digest)
    assert stored == StoredImage("app", digest, stored.config, tuple(layers))
    assert (stored.env, stored.labels, stored.settings["User"]) == ({"A": "b=c", "D": ""}, {"x": "y"}, "1001")
    assert [each.path for each in stored.layers] == [None, None]


def test_an_image_that_is_there_is_not_pushed_again(through: Registry, proxy: Proxy, blobs: Path) -> None:
    layers = [layer(blobs, "a", 10), layer(blobs, "b", 10)]
    digest = image(through, "app", layers)
    before = len(proxy.seen)
    assert image(through, "app", layers) == digest
    assert sorted(line.split()[0] for line in proxy.seen[before:]) == ["HEAD", "HEAD", "HEAD", "PUT"]


def test_a_layer_without_a_blob_here_is_taken_from_a_repository_that_has_it(registry: Registry, blobs: Path) -> None:
    base = layer(blobs, "base", 10)
    push_layer(registry, "stack/run", base)
    known = Layer(base.diff_id, base.digest, base.size)
    assert push_layer(registry, "apps/7", known, ["nowhere", "stack/run"]) is False
    assert registry.has_blob("apps/7", base.digest)


def test_a_layer_that_is_nowhere_is_a_fault(registry: Registry, blobs: Path) -> None:
    lost = layer(blobs, "lost", 10)
    lost = Layer(lost.diff_id, lost.digest, lost.size)
    for sources in ([], ["other"]):
        with pytest.raises(PlatformFault, match="neither on this machine nor"):
            push_layer(registry, "app", lost, sources)


def test_a_push_that_fails_leaves_no_image(through: Registry, proxy: Proxy, blobs: Path) -> None:
    proxy.fault = lambda method, path: Answer(413) if method == "PATCH" else None
    with pytest.raises(PlatformFault, match="answered 413"):
        image(through, "app", [layer(blobs, "a"), layer(blobs, "b", 2_000_000)])
    assert proxy.count("PUT .*/manifests/") == 0


KILLED = """
import sys
from pathlib import Path
from wherry.images.registry import Registry
from tests.images.test_stored import image, layer
image(Registry(sys.argv[1]), "killed", [layer(Path(sys.argv[2]), "a"), layer(Path(sys.argv[2]), "b")])
"""


def test_a15_a_push_killed_between_blobs_and_manifest_is_finished_by_the_next(
    through: Registry, proxy: Proxy, blobs: Path
) -> None:
    pushing: list[subprocess.Popen[bytes]] = []

    def kill_at_the_manifest(method: str, path: str) -> ResetAfter | None:
        if method != "PUT" or "/manifests/" not in path:
            return None
        os.kill(pushing[0].pid, signal.SIGKILL)
        return ResetAfter(0)

    proxy.fault = kill_at_the_manifest
    pushing.append(subprocess.Popen([sys.executable, "-c", KILLED, proxy.url, str(blobs)]))
    assert pushing[0].wait(30) == -signal.SIGKILL
    proxy.fault = lambda method, path: None
    before = len(proxy.seen)
    digest = image(through, "killed", [layer(blobs, "a"), layer(blobs, "b")])
    assert [line for line in proxy.seen[before:] if "/uploads/" in line] == []
    assert image(through, "killed", [layer(blobs, "a"), layer(blobs, "b")]) == digest
    assert read_image(through, "killed", digest).digest == digest


def test_an_image_is_copied_from_another_registry_byte_for_byte(
    registry: Registry, blobs: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    with running_registry(tmp_path / "other") as url:
        other = Registry(url)
        digest = image(other, "library/debian", [layer(blobs, "a", 10), layer(blobs, "b", 10)])
        body = other.manifest("library/debian", digest).body
        machine = {"os": "linux", "architecture": architecture()}
        index = Document.of(INDEX, {"manifests": [{"digest": digest, "platform": machine}]})
        other._transport.call(
            "PUT", "/v2/library/debian/manifests/12", (), [201], {"Content-Type": INDEX}, _complete(index, body)
        )
        (tmp_path / "way").mkdir()
        for reference in (digest, "12", "12"):
            assert copy_image(other, "library/debian", reference, registry, "stack/run", tmp_path / "way") == digest
        assert read_image(registry, "stack/run", digest).env["A"] == "b=c"
        assert list((tmp_path / "way").iterdir()) == []
        with pytest.raises(NotFound):
            copy_image(other, "library/debian", "13", registry, "stack/run", tmp_path / "way")
        other.close()


def _complete(index: Document, manifest: bytes) -> bytes:
    value = index.value()
    value |= {"schemaVersion": 2, "mediaType": INDEX}
    value["manifests"][0] |= {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": len(manifest)}
    return Document.of(INDEX, value).body


def test_what_is_no_image_is_refused(registry: Registry) -> None:
    config = Document.of("application/octet-stream", ["not", "an", "image"])
    registry.put_blob("odd", config.digest, config.body)
    manifest = image_manifest(config, [], {})
    registry.put_manifest("odd", manifest)
    with pytest.raises(InvalidInput):
        read_image(registry, "odd", manifest.digest)


def test_an_image_is_given_to_another_repository_without_moving_a_layer(
    through: Registry, proxy: Proxy, blobs: Path
) -> None:
    digest = image(through, "apps/1", [layer(blobs, "a", 100_000), layer(blobs, "b", 100_000)])
    before = len(proxy.seen)
    for _ in range(2):
        mount_image(through, "apps/1", digest, "apps/2")
    assert read_image(through, "apps/2", digest).layers == read_image(through, "apps/1", digest).layers
    assert not [line for line in proxy.seen[before:] if line.startswith("PATCH")]
    with pytest.raises(NotFound):
        mount_image(through, "apps/1", "sha256:" + "0" * 64, "apps/2")
