from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from wherry.hook import FOLDER
from wherry.sources.repositories import Repositories

from tests.sources.door import Door, Judge
from tests.sources.workshop import Workshop


@pytest.fixture
def repositories(tmp_path: Path) -> Repositories:
    made = Repositories(tmp_path / "sources", FOLDER)
    made.create(1)
    return made


@pytest.fixture
def door(repositories: Repositories) -> Iterator[Door]:
    """Accepts and refuses as the platform does; a test may put its own `answer` in."""
    with Door(repositories, Judge(repositories)) as opened:
        yield opened


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path / "workshop")


@pytest.fixture
def inside(repositories: Repositories) -> Workshop:
    """Puts objects straight into app 1's repository, past every check of a push."""
    return Workshop(repositories.path(1))
