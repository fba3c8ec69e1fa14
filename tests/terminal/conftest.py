from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.house import House, open_house
from tests.terminal.doors import open_door


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as opened, open_door(opened.world):
        opened.create("talker")
        opened.release("talker")
        yield opened
