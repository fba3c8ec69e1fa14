"""Real builds: our own buildpacks on the real stack, which is made once and kept between test runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import APIClient
from wherry.builds.stacks import Stack, Stacks
from wherry.domain.errors import BuildFailed, BuildFailure
from wherry.images.registry import Registry
from wherry.settings import Settings

from tests.builds.yard import SAMPLES, Yard, kept_registry

_MADE = pytest.StashKey[tuple[Registry, Stack]]()


@pytest.fixture(scope="session")
def stack_registry(pytestconfig: pytest.Config) -> Iterator[tuple[Registry, Stack]]:
    """Made once, in about a minute, and kept with pytest's cache. To pytest it is another fixture in each conftest.py that
    imports it: the first that needs it makes it for all.
    """
    if made := pytestconfig.stash.get(_MADE, None):
        yield made
        return
    if os.geteuid() != 0:
        pytest.skip("the stack is made of Debian packages by root")
    assert pytestconfig.cache
    folder = Path(pytestconfig.cache.mkdir("wherry-stack"))
    with kept_registry(folder) as registry:
        stack = Stacks(registry, folder / "stacks", Settings.load({})).ensure(print)
        pytestconfig.stash[_MADE] = (registry, stack)
        yield registry, stack


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The builder's. A module whose tests all need one slow toolchain has one for all of them."""
    return tmp_path


@pytest.fixture
def yard(stack_registry: tuple[Registry, Stack], home: Path, platform_id: str, engine_api: APIClient) -> Yard:
    return Yard(home, *stack_registry, platform_id, engine_api)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Where the source of an app may lie."""
    return tmp_path / "app"


def copy(name: str, target: Path) -> Path:
    return Path(shutil.copytree(SAMPLES / name, target))


def replaced(name: str, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    return copy(name, target)


def failure(yard: Yard, app: Path, **config: str) -> tuple[BuildFailure, str]:
    """Of which kind, and all that is said of it."""
    with pytest.raises(BuildFailed) as caught:
        yard.build(app, **config)
    return caught.value.kind, "\n".join(caught.value.lines())
