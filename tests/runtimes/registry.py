"""A registry of the tests' own, with a login, and the tiny image in it: so that images come by digest."""

from __future__ import annotations

import contextlib
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest
from docker import APIClient
from docker.errors import ImageNotFound
from wherry.domain.image import Image
from wherry.domain.secret import Secret
from wherry.logins import FixedLogin, Login
from wherry.runtimes.machine.pull import Registry

from tests.ports import free_port

_CONFIG = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "127.0.0.1:{port}"}}
auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}
"""


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("registry")
    password = secrets.token_hex(8)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    (folder / "htpasswd").write_text(f"wherry:{hashed}\n")
    port = free_port()
    (folder / "config.yml").write_text(_CONFIG.format(folder=folder, port=port))
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            ["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _await(port, folder / "log")
        yield Registry(f"127.0.0.1:{port}", FixedLogin(Login("wherry", Secret(password))))
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture(scope="session")
def pushed_image(engine_api: APIClient, tiny_image: str, registry: Registry) -> Iterator[Image]:
    """The tiny image in the registry, and not (any more) in the engine under that name."""
    repository = f"{registry.address}/apps/1"
    engine_api.tag(tiny_image, repository, "latest")
    login = registry.login_for(f"{repository}:latest")
    lines = list(engine_api.push(repository, "latest", stream=True, decode=True, auth_config=login))
    (digest,) = [line["aux"]["Digest"] for line in lines if "aux" in line]
    engine_api.remove_image(f"{repository}:latest", force=True)
    yield Image("apps/1", digest, {"web": "", "worker": ""})
    with contextlib.suppress(ImageNotFound):  # whether a test has pulled it or not
        engine_api.remove_image(registry.reference("apps/1", digest), force=True)


def _await(port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
