"""What every adapter of the Bases port holds to: the one in memory, and that on a real registry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from wherry.domain.errors import Conflict
from wherry.domain.image import Image
from wherry.flow.image_ports import Bases
from wherry.images.registry import Registry

from tests.builds.rebase_kit import app_on, bases_of, stack
from tests.fakes.bases import InMemoryBases
from tests.images.servers import running_registry


class Ground(Protocol):
    def image(self, base: str) -> Image:
        """An app's, on that base."""

    def plain(self) -> Image:
        """One that buildpacks did not make."""

    def bases(self, newest: str) -> Bases: ...


class InMemory:
    def __init__(self) -> None:
        self.all = InMemoryBases()

    def image(self, base: str) -> Image:
        self.all.on[f"sha256:app-{base}"] = _digest(base)
        return Image("apps/7", f"sha256:app-{base}", {"web": "serve"})

    def plain(self) -> Image:
        self.all.fixed["sha256:plain"] = "not made by buildpacks"
        return Image("apps/7", "sha256:plain")

    def bases(self, newest: str) -> Bases:
        self.all.newest = _digest(newest)
        return self.all


def _digest(base: str) -> str:
    return "sha256:" + hashlib.sha256(base.encode()).hexdigest()


class Real:
    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry, self.folder = registry, folder

    def image(self, base: str) -> Image:
        return app_on(stack(self.registry, self.folder, base), self.registry, self.folder)

    def plain(self) -> Image:
        made = stack(self.registry, self.folder, "plain").run
        return Image(made.repository, made.digest)

    def bases(self, newest: str) -> Bases:
        return bases_of(stack(self.registry, self.folder, newest), self.registry, self.folder)


def _in_memory(folder: Path) -> Iterator[Ground]:
    yield InMemory()


def _real(folder: Path) -> Iterator[Ground]:
    with running_registry(folder) as url:
        registry = Registry(url)
        yield Real(registry, folder)
        registry.close()


@pytest.fixture(params=[_in_memory, _real], ids=["memory", "registry"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    make: Callable[[Path], Iterator[Ground]] = request.param
    yield from make(tmp_path)


def test_an_image_goes_onto_the_newest_base_and_then_is_there(ground: Ground) -> None:
    image = ground.image("one")
    bases = ground.bases("two")
    done = bases.rebase(image)
    assert (done.image.repository, done.image.processes) == (image.repository, image.processes)
    assert done.image.digest != image.digest
    assert bases.rebase(done.image) == done
    assert ground.bases("three").rebase(done.image).base != done.base


def test_what_an_image_is_on_is_told_without_a_change(ground: Ground) -> None:
    image = ground.image("one")
    bases = ground.bases("two")
    before = bases.below(image)
    assert before.now != before.newest
    done = bases.rebase(image)
    after = bases.below(done.image)
    assert (after.now, after.newest) == (done.base, before.newest)
    assert bases.below(image) == before


def test_doing_it_twice_is_doing_it_once(ground: Ground) -> None:
    image = ground.image("one")
    bases = ground.bases("two")
    assert bases.rebase(image) == bases.rebase(image)


def test_an_image_that_buildpacks_did_not_make_is_refused(ground: Ground) -> None:
    plain = ground.plain()
    with pytest.raises(Conflict, match="not made by buildpacks"):
        ground.bases("two").rebase(plain)
