from collections.abc import Iterator
from pathlib import Path

import pytest
from wherry.images.patience import Patience
from wherry.images.registry import Registry

from tests.images.servers import Proxy, running_proxy, running_registry

HASTE = Patience(tries=4, first_pause=0.001, longest_pause=0.005, longest_wish=2.0, total=30.0, silence=5.0)


@pytest.fixture(scope="session")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real registry without a login."""
    with running_registry(tmp_path_factory.mktemp("registry")) as url:
        yield url


@pytest.fixture
def registry(registry_url: str) -> Iterator[Registry]:
    client = Registry(registry_url, patience=HASTE)
    yield client
    client.close()


@pytest.fixture
def proxy(registry_url: str) -> Iterator[Proxy]:
    with running_proxy(registry_url) as proxy:
        yield proxy


@pytest.fixture
def through(proxy: Proxy) -> Iterator[Registry]:
    """A client of the registry behind the proxy."""
    client = Registry(proxy.url, patience=HASTE)
    yield client
    client.close()


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    folder = tmp_path / "blobs"
    folder.mkdir()
    return folder
