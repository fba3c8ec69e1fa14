"""Builder images of others: their lifecycle's phases run as the specification says, and what they leave is judged.

The lifecycle here is a small one of the test's own: see lifecycle_kit.py.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from wherry.builds.builder_reading import allowed, read_builder
from wherry.builds.image_layout import publish
from wherry.domain.build_settings import BuildSettings
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput
from wherry.settings import Settings

from tests.builds.lifecycle_kit import PHASES, builder_of, named, sample_app
from tests.builds.yard import Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]


def builder(yard: Yard, **label: Any) -> str:
    return builder_of(yard.registry, yard.stack, yard.home, **label)


@pytest.fixture
def app(sample: Path) -> Path:
    return sample_app(sample)


def test_an_allowed_builder_runs_phase_by_phase_and_its_image_runs(yard: Yard, app: Path) -> None:
    yard.builders = builder(yard)
    named(app, yard.builders.partition("@")[0])
    image = yard.build(app)
    assert image.processes == {"web": "serve it"}
    phases = [line.split()[0] for line in yard.said if line.split()[0] in PHASES]
    assert phases == list(PHASES)
    with yard.running(image) as running:
        assert running.ask("/built").endswith("hello")
    yard.build(app, previous=image)
    assert "       build number 2" in yard.said


def test_the_builder_may_be_the_apps_only_buildpack(yard: Yard, app: Path) -> None:
    yard.builders = builder(yard)
    yard.settings = BuildSettings(buildpacks=(yard.builders,))
    assert yard.build(app, GREETING="from config").processes == {"web": "serve it"}


def test_t17_a_builder_that_the_operator_does_not_allow_is_refused_by_its_field(yard: Yard, app: Path) -> None:
    yard.builders = builder(yard)
    named(app, "example.com/another")
    with pytest.raises(BuildFailed) as refused:
        yard.build(app)
    assert refused.value.evidence[0].startswith("io.buildpacks.builder: 'example.com/another' is not permitted")


def test_a_failed_phase_is_told_in_its_own_words(yard: Yard, app: Path) -> None:
    yard.builders = builder(yard)
    named(app, yard.builders.partition("@")[0])
    (app / "BREAK").write_text("")
    with pytest.raises(BuildFailed, match="builder's builder failed with exit code 51") as broken:
        yard.build(app)
    assert broken.value.kind is BuildFailure.COMPILE_ERROR
    (app / "Procfile").unlink()
    with pytest.raises(BuildFailed) as nothing:
        yard.build(app)
    assert nothing.value.kind is BuildFailure.NOTHING_DETECTED


def test_a_builder_says_what_is_wrong_with_it(yard: Yard) -> None:
    with pytest.raises(InvalidInput, match="speaks none of the Platform APIs"):
        read_builder(builder(yard, lifecycle={}), yard.registry)
    with pytest.raises(InvalidInput, match="which image apps run on"):
        read_builder(builder(yard, images=[]), yard.registry)
    with pytest.raises(InvalidInput, match="it is no builder"):
        read_builder(yard.stack.build_ref, yard.registry)


def test_names_of_allowed_builders() -> None:
    reference = f"docker.io/heroku/builder:24@sha256:{'a' * 64}"
    assert set(allowed(reference)) == {reference, "docker.io/heroku/builder:24", "heroku/builder:24"}
    with pytest.raises(InvalidInput) as refused:
        Settings.load({"WHERRY_BUILDERS": "heroku/builder:24"})
    assert "WHERRY_BUILDERS: 'heroku/builder:24' is not an image by digest" in refused.value.evidence[0]


def left(folder: Path, user: str = "1000", **changes: Any) -> Path:
    """A layout as a build might leave it."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(content: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"digest": f"sha256:{digest}", "size": len(content), "mediaType": "x"}

    labels = {"io.buildpacks.build.metadata": json.dumps({"processes": [{"type": "web", "command": "serve"}]})}
    config = put(json.dumps({"config": {"User": user, "Labels": labels}}).encode())
    manifest = {"config": config, "layers": [put(b"layer")], **changes}
    (folder / "index.json").write_text(json.dumps({"manifests": [put(json.dumps(manifest).encode())]}))
    return folder


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"user": "root"}, "its user is root"),
        ({"user": ""}, "its user is root"),
        ({"layers": [{"digest": "sha256:../../../../etc/passwd"}]}, "a digest is not sha256"),
        ({"layers": [{"digest": f"sha256:{'0' * 64}"}]}, "is not a file"),
        ({"layers": 7}, "not iterable"),
        ({"config": {}}, "digest"),
    ],
)
def test_t11_what_a_build_left_is_not_believed(yard: Yard, tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    folder = left(tmp_path / "made", **changes)
    with pytest.raises(BuildFailed, match=why):
        publish(folder, tmp_path / "run", yard.registry, "apps/9", {})


def test_t10_a_blob_that_is_a_link_is_refused(yard: Yard, tmp_path: Path) -> None:
    folder = left(tmp_path / "made")
    (layer,) = (path for path in (folder / "blobs/sha256").iterdir() if path.read_bytes() == b"layer")
    layer.unlink()
    layer.symlink_to("/etc/hostname")
    with pytest.raises(BuildFailed, match="is not a file"):
        publish(folder, tmp_path / "run", yard.registry, "apps/9", {})
