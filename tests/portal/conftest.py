from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portal.harbour import Harbour


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[Harbour]:
    made = Harbour(tmp_path)
    yield made
    made.ledger.close()
