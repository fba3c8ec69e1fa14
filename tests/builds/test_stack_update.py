"""Newer stack images, on a real registry; a small program stands where mmdebstrap would be."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from wherry.builds.stacks import BUILD, RUN, Stacks
from wherry.domain.errors import PlatformFault
from wherry.images.registry import Registry
from wherry.settings import Settings

from tests.images.servers import running_registry

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make stack images")
SETTINGS = Settings.load({})
MMDEBSTRAP = """#!/bin/sh
set -eu
here=$(dirname "$0")
for each; do case $each in */draft-*/root) root=$each;; esac; done
[ ! -e "$here/broken" ] || { echo "E: no mirror answers" >&2; exit 25; }
mkdir -p "$root/var/lib/dpkg" "$root/dev" "$root/etc"
cp "$here/packages" "$root/var/lib/dpkg/status"
"""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder whose file `packages` is what Debian has today."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "mmdebstrap").write_text(MMDEBSTRAP)
    (folder / "mmdebstrap").chmod(0o755)
    (folder / "packages").write_text("openssl 1")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    (tmp_path / "registry").mkdir()
    with running_registry(tmp_path / "registry") as url:
        registry = Registry(url)
        yield registry
        registry.close()


def test_newer_packages_make_newer_images_and_the_same_ones_do_not(
    registry: Registry, mirror: Path, tmp_path: Path
) -> None:
    stacks = Stacks(registry, tmp_path / "stacks", SETTINGS)
    first = stacks.ensure(print)
    assert stacks.newest_run() == first.run
    again = stacks.renew(print)
    assert (again.changed, again.stack, again.removed) == (False, first, frozenset())
    (mirror / "packages").write_text("openssl 2")
    second = stacks.renew(print)
    assert second.changed
    assert second.stack.run.digest != first.run.digest
    others = Stacks(registry, tmp_path / "stacks", SETTINGS)
    assert others.ensure(print) == second.stack
    assert others.newest_run() == second.stack.run


def test_images_of_builds_under_way_stay_for_one_more_update(registry: Registry, mirror: Path, tmp_path: Path) -> None:
    stacks = Stacks(registry, tmp_path / "stacks", SETTINGS)
    first = stacks.ensure(print)
    (mirror / "packages").write_text("openssl 2")
    second = stacks.renew(print)
    assert second.removed == frozenset()
    assert registry.has_manifest(BUILD, first.build.digest)
    assert registry.has_manifest(RUN, first.run.digest)
    (mirror / "packages").write_text("openssl 3")
    third = stacks.renew(print)
    assert third.removed == {(BUILD, first.build.digest), (RUN, first.run.digest)}
    assert not registry.has_manifest(RUN, first.run.digest)
    assert registry.has_manifest(RUN, second.stack.run.digest)
    (mirror / "packages").write_text("openssl 2")
    assert stacks.renew(print).removed == frozenset()


def test_an_update_that_fails_changes_nothing(registry: Registry, mirror: Path, tmp_path: Path) -> None:
    stacks = Stacks(registry, tmp_path / "stacks", SETTINGS)
    first = stacks.ensure(print)
    (mirror / "broken").touch()
    with pytest.raises(PlatformFault, match="could not be made") as failure:
        stacks.renew(print)
    assert "E: no mirror answers" in failure.value.evidence
    assert Stacks(registry, tmp_path / "stacks", SETTINGS).known() == first
    assert sorted(path.name for path in (tmp_path / "stacks").iterdir()) == ["lock", "stack.json"]


def test_an_update_leaves_the_image_that_the_settings_name(registry: Registry, mirror: Path, tmp_path: Path) -> None:
    first = Stacks(registry, tmp_path / "stacks", SETTINGS).ensure(print)
    settings = dataclasses.replace(SETTINGS, stack_run=first.run_ref)
    (mirror / "packages").write_text("openssl 2")
    renewal = Stacks(registry, tmp_path / "stacks", settings).renew(print)
    assert renewal.stack.run == first.run
    assert renewal.stack.build.digest != first.build.digest
