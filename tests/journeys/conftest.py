from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.journeys.harness import Platform


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform for all journeys: its first start makes the stack images, which takes the better part of a minute."""
    if os.geteuid() != 0:
        pytest.skip("journeys need root: they start a whole platform")
    platform = Platform.fresh(tmp_path_factory.mktemp("platform"))
    platform.up()
    yield platform
    platform.down()
