from __future__ import annotations

import os
from collections.abc import Generator, Iterator

import pytest

from tests.journeys.harness import App, Platform


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.timeout(600))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A journey that fails shows what its platform wrote last: seen once in CI, it may never be seen again."""
    report = yield
    if report.failed:
        used = [each.platform if isinstance(each, App) else each for each in item.funcargs.values()]
        for each in {id(one): one for one in used if isinstance(one, Platform)}.values():
            report.sections.append(("The platform's logs", each.evidence(60)))
    return report


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform for all journeys: its first start makes the stack images, which takes the better part of a minute."""
    if os.geteuid() != 0:
        pytest.skip("journeys need root: they start a whole platform")
    platform = Platform.fresh(tmp_path_factory.mktemp("platform"))
    platform.up()
    yield platform
    platform.down()
