"""One Envoy for the tests of a file; those that kill it make their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.routing.origin import Origin
from tests.routing.rig import Rig


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("home")).start()
    yield made
    made.close()


@pytest.fixture
def own_rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def one() -> Iterator[Origin]:
    made = Origin("one")
    yield made
    made.close()


@pytest.fixture(scope="module")
def two() -> Iterator[Origin]:
    made = Origin("two")
    yield made
    made.close()
