"""A tiny image (a static busybox), made without any registry of the world, and platforms that are removed again."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import APIClient
from docker.errors import APIError, NotFound

ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
_APPLETS = """
sh env tr cat cp dd echo false head httpd id kill ls mkdir nc rm seq sleep tail touch true wc wget yes
"""
APPLETS = _APPLETS.split()


@pytest.fixture(scope="session")
def engine_api() -> Iterator[APIClient]:
    api = APIClient(base_url=ENGINE, version="auto")
    yield api
    api.close()


@pytest.fixture(scope="session")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A statically linked busybox: the system's, or the one of Debian's package, not installed."""
    found = shutil.which("busybox")
    if found and b"INTERP" not in subprocess.run(["readelf", "-l", found], capture_output=True, check=False).stdout:
        return Path(found)
    folder = tmp_path_factory.mktemp("busybox")
    folder.chmod(0o755)
    subprocess.run(["apt-get", "download", "-q", "busybox-static"], cwd=folder, check=True, capture_output=True)
    (package,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", package, folder / "files"], check=True)
    return folder / "files/bin/busybox"


@pytest.fixture(scope="session")
def tiny_image(engine_api: APIClient, busybox: Path) -> Iterator[str]:
    """An image whose user is 1001:1000 and whose /cnb/process/* are tests/runtimes/processes/*."""
    name = f"wherry-test-{secrets.token_hex(4)}"
    changes = ["USER 1001:1000", "WORKDIR /workspace", "ENV PATH=/cnb/process:/usr/bin:/bin"]
    engine_api.import_image_from_data(root_filesystem(busybox), repository=name, tag="latest", changes=changes)
    yield f"{name}:latest"
    engine_api.remove_image(f"{name}:latest", force=True)


def root_filesystem(busybox: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder, owner in {"bin": 0, "usr/bin": 0, "tmp": 0, "cnb/process": 0, "workspace": 1001}.items():
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode, entry.uid = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755, owner
            tar.addfile(entry)
        tar.add(busybox, "bin/busybox")
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}" if applet != "env" else "usr/bin/env")
            entry.type, entry.linkname = tarfile.SYMTYPE, "/bin/busybox"
            tar.addfile(entry)
        for process in sorted((Path(__file__).parent / "processes").glob("*")):
            entry = tarfile.TarInfo(f"cnb/process/{process.name}")
            entry.mode, entry.size = 0o755, process.stat().st_size
            tar.addfile(entry, io.BytesIO(process.read_bytes()))
    return buffer.getvalue()


@pytest.fixture
def platform_id(engine_api: APIClient) -> Iterator[str]:
    """A platform of this test alone; whatever carries its label is removed afterwards."""
    name = f"t{secrets.token_hex(5)}"
    yield name
    remove_platform(engine_api, name)


@pytest.fixture
def other_platform_id(engine_api: APIClient) -> Iterator[str]:
    name = f"t{secrets.token_hex(5)}"
    yield name
    remove_platform(engine_api, name)


def remove_platform(api: APIClient, name: str) -> None:
    from wherry.runtimes.machine.firewall import Firewall

    labels = {"label": f"wherry.platform={name}"}
    until = time.monotonic() + 30
    while left := api.containers(all=True, filters=labels):
        assert time.monotonic() < until, left
        for container in left:
            with contextlib.suppress(NotFound, APIError):  # the platform removes it at the same time
                api.remove_container(container["Id"], force=True, v=True)
    for network in api.networks(filters=labels):
        api.remove_network(network["Id"])
    Firewall(name).remove()
