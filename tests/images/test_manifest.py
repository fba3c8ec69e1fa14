import json
from pathlib import Path

import pytest
from wherry.domain.errors import InvalidInput
from wherry.images.layers import Layer
from wherry.images.manifest import (
    Document,
    architecture,
    image_config,
    image_manifest,
    layers_of,
    manifest_for,
)

BASE = Layer("sha256:" + "a" * 64, "sha256:" + "b" * 64, 10)
MINE = Layer("sha256:" + "c" * 64, "sha256:" + "d" * 64, 20, Path("/blob"), note="wherry: app")


def test_a_config_is_exactly_this() -> None:
    below = {
        "architecture": "arm64",
        "os": "linux",
        "variant": "v8",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Env": ["A=b"]},
        "history": [{"created_by": "base"}, {"created_by": "ENV", "empty_layer": True}],
    }
    assert image_config([BASE, MINE], {"User": "1001:1000"}, below).value() == {
        "architecture": "arm64",
        "os": "linux",
        "variant": "v8",
        "created": "1980-01-01T00:00:01Z",
        "config": {"User": "1001:1000"},
        "rootfs": {"type": "layers", "diff_ids": [BASE.diff_id, MINE.diff_id]},
        "history": [
            {"created_by": "base"},
            {"created_by": "ENV", "empty_layer": True},
            {"created": "1980-01-01T00:00:01Z", "created_by": "wherry: app"},
        ],
    }


def test_a_config_without_a_base_is_of_this_machine_and_has_a_history_a_layer() -> None:
    config = image_config([BASE, MINE], {}).value()
    assert (config["os"], config["architecture"]) == ("linux", architecture())
    assert len(config["history"]) == 2


def test_a_manifest_is_exactly_this() -> None:
    config = Document.of("application/vnd.oci.image.config.v1+json", {})
    manifest = image_manifest(config, [MINE], {"org.opencontainers.image.revision": "abc"})
    assert json.loads(manifest.body) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "size": 2,
        },
        "layers": [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": MINE.digest, "size": 20},
        ],
        "annotations": {"org.opencontainers.image.revision": "abc"},
    }


def test_equal_values_make_equal_bytes_whatever_their_order() -> None:
    assert Document.of("x", {"a": 1, "b": 2}) == Document.of("x", {"b": 2, "a": 1})


def test_text_that_is_not_unicode_does_not_break_a_document() -> None:
    assert Document.of("x", {"a": "\udcff é"}).body == '{"a":"\\udcff é"}'.encode()


def test_layers_are_read_from_manifest_and_config_with_dockers_types_as_ocis() -> None:
    docker = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    manifest = {"layers": [{"mediaType": docker, "digest": BASE.digest, "size": 10}]}
    assert layers_of(manifest, {"rootfs": {"diff_ids": [BASE.diff_id]}}) == (BASE,)


@pytest.mark.parametrize(
    ("manifest", "config"),
    [
        ({}, {}),
        ({"layers": []}, {}),
        ({"layers": []}, {"rootfs": {"diff_ids": ["x"]}}),
        ({"layers": [{}]}, {"rootfs": {"diff_ids": ["x"]}}),
        ({"layers": [3]}, {"rootfs": {"diff_ids": ["x"]}}),
        ({"layers": 3}, {"rootfs": {"diff_ids": ["x"]}}),
        ({"layers": [{"mediaType": "t", "digest": "d", "size": "big"}]}, {"rootfs": {"diff_ids": ["x"]}}),
    ],
)
def test_a_manifest_and_a_config_that_disagree_are_refused(manifest: dict, config: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(InvalidInput):
        layers_of(manifest, config)


def test_an_index_is_searched_for_linux_on_the_machine() -> None:
    def variant(system: str, machine: str) -> dict[str, object]:
        return {"digest": f"{system}-{machine}", "platform": {"os": system, "architecture": machine}}

    index = {"manifests": [variant("windows", "amd64"), variant("linux", "arm64"), variant("linux", "amd64")]}
    assert manifest_for(index, "amd64") == "linux-amd64"
    with pytest.raises(InvalidInput, match="no variant for linux/riscv64"):
        manifest_for(index, "riscv64")
    odd: list[dict[str, object]] = [{}, {"manifests": 3}, {"manifests": [{}]}, {"manifests": [3]}]
    for broken in odd:
        with pytest.raises(InvalidInput):
            manifest_for(broken, "amd64")


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b"{", b"\xff"])
def test_a_document_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        Document("x", body).value()
