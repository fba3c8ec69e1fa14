"""Bills of images, on a real registry: of the base, of what buildpacks wrote, and of images that have none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from wherry.builds.bills import ImageBills
from wherry.builds.debian_bill import BASE_LABEL, bill_of
from wherry.builds.export import export
from wherry.builds.stacks import Stack
from wherry.domain.bill import Subject, whole
from wherry.domain.errors import NotFound
from wherry.domain.image import Image, Start
from wherry.images.entries import of_files
from wherry.images.layers import pack
from wherry.images.manifest import image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import push_image, read_image

from tests.builds.finished import BUILD_ENV, LABELS, RUN_ENV, finished_build, request
from tests.cyclonedx import licences, valid, versions
from tests.images.servers import running_registry

STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc (2.36-9)
Version: 1:2.36-9+deb12u9
Maintainer: GNU Libc Maintainers <libc@example.org>
Description: GNU C Library
 Version: not this one

Package: gone
Status: deinstall ok config-files
Version: 1

openssl 1
"""
COPYRIGHT = (
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: LGPL-2.1+\n"
)
SUBJECT = Subject("shop", "v1")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    (tmp_path / "registry").mkdir()
    with running_registry(tmp_path / "registry") as url:
        registry = Registry(url)
        yield registry
        registry.close()


def debian(folder: Path) -> Path:
    for name, text in {"var/lib/dpkg/status": STATUS, "usr/share/doc/libc6/copyright": COPYRIGHT}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def stack(registry: Registry, folder: Path, *, bill: bool) -> Stack:
    layers = [pack(of_files({"/bin/x": (b"x", 0o755)}), folder)]
    labels = dict(LABELS)
    if bill:
        content = bill_of(debian(folder / "root"), "12")
        layers.append(pack(of_files({"/cnb/sbom/debian.cdx.json": (content, 0o644)}), folder))
        labels[BASE_LABEL] = layers[-1].diff_id
    images = []
    for name, settings in (("build", {"Env": BUILD_ENV}), ("run", {"Env": RUN_ENV, "Labels": labels, "User": "9:9"})):
        config = image_config(layers, settings)
        digest = push_image(registry, f"stack/{name}", config, layers, image_manifest(config, layers, {}))
        images.append(read_image(registry, f"stack/{name}", digest))
    return Stack(*images, *(registry.reference(each.repository, each.digest) for each in images))


def app(registry: Registry, folder: Path, *, bill: bool = True, **files: str) -> Image:
    """`files`: what the buildpack wrote beside its layers, with - for each dot."""
    built = finished_build(folder / "work")
    for name, text in files.items():
        (built.layers_dir / "wherry_python" / name.replace("__", ".")).write_text(text)
    on = stack(registry, folder, bill=bill)
    return export(built, on, registry, "apps/7", None, folder / "caches", request(), print)


def listed(*names: str) -> str:
    return json.dumps({"bomFormat": "CycloneDX", "components": [{"type": "library", "name": each} for each in names]})


def test_debians_packages_are_listed_with_their_licences_and_the_same_each_time(tmp_path: Path) -> None:
    content = bill_of(debian(tmp_path), "12")
    found = valid(content)
    assert versions(found) == {"debian": "12", "libc6": "1:2.36-9+deb12u9"}
    assert licences(found)["libc6"] == "LGPL-2.1+"
    purl = "pkg:deb/debian/libc6@1%3A2.36-9%2Bdeb12u9?arch=amd64&distro=debian-12&upstream=glibc%402.36-9"
    assert found["components"][1]["purl"] == purl
    assert bill_of(tmp_path, "12") == content


def test_the_bill_of_an_image_is_of_its_base_its_layers_and_what_built_it(registry: Registry, tmp_path: Path) -> None:
    image = app(
        registry,
        tmp_path,
        deps__sbom__cdx__json=listed("flask"),
        deps__sbom__spdx__json="{}",
        launch__sbom__cdx__json=listed("script"),
        tool__sbom__cdx__json=listed("uv"),
        conf__sbom__syft__json="{}",
        build__sbom__cdx__json="no json",
    )
    bill = ImageBills(registry, tmp_path).of(image)
    assert [(each.origin, each.runs) for each in bill.parts] == [
        ("base", True), ("wherry/python deps", True), ("wherry/python", True), ("wherry/python tool", False)
    ]  # fmt: skip
    assert bill.unread == (
        "/layers/sbom/launch/wherry_python/conf/sbom.syft.json",
        "/layers/sbom/build/wherry_python/sbom.cdx.json",
    )
    assert bill.base
    found = valid(whole(SUBJECT, bill, "1"))
    assert set(versions(found)) == {"debian", "libc6", "flask", "script", "uv"}


def test_a_base_without_a_bill_is_told_of(registry: Registry, tmp_path: Path) -> None:
    bill = ImageBills(registry, tmp_path).of(app(registry, tmp_path, bill=False))
    assert (bill.parts, bill.base) == ((), False)


def test_an_image_that_no_buildpack_made_has_none_and_says_so(registry: Registry, tmp_path: Path) -> None:
    layers = [pack(of_files({"/bin/x": (b"x", 0o755)}), tmp_path)]
    config = image_config(layers, {"Cmd": ["x"]})
    digest = push_image(registry, "apps/7", config, layers, image_manifest(config, layers, {}))
    with pytest.raises(NotFound, match="no bill of materials: buildpacks write one"):
        ImageBills(registry, tmp_path).of(Image("apps/7", digest, {"web": "x"}, {"web": Start(("x",))}))
    with pytest.raises(NotFound):
        ImageBills(registry, tmp_path).of(Image("apps/7", "sha256:" + "0" * 64))
