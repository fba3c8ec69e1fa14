"""A House with a real sshd, and users with real keys and the real ssh."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from wherry.api.tickets import Tickets
from wherry.home import Home
from wherry.hook import FOLDER
from wherry.sources.repositories import Repositories
from wherry.sources.ssh_session import SshTransport
from wherry.ssh.door import Door
from wherry.supervisor import ssh
from wherry.supervisor.services import listens

from tests.api.house import House, eventually, open_house
from tests.ports import free_port

_numbers = itertools.count(1)


@dataclass
class Harbour:
    """`log`: what sshd says."""

    house: House
    log: Path
    folder: Path

    @property
    def port(self) -> int:
        return self.house.world.settings.number("ssh_port")

    @property
    def user(self) -> str:
        found = self.house.world.ssh
        assert found
        return found.user


@dataclass
class Person:
    """`by`: whose token added the key."""

    harbour: Harbour
    key: Path

    @property
    def argv(self) -> list[str]:
        known = self.harbour.folder / "known_hosts"
        options = [
            f"UserKnownHostsFile={known}",
            "StrictHostKeyChecking=accept-new",
            "IdentitiesOnly=yes",
            "BatchMode=yes",
        ]
        options += ["IdentityAgent=none", "GlobalKnownHostsFile=/dev/null"]
        return [
            "ssh",
            "-F",
            "none",
            "-i",
            str(self.key),
            "-p",
            str(self.harbour.port),
            *(f"-o{each}" for each in options),
        ]

    def ssh(self, *more: str, command: str | None = None, sent: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        argv = [*self.argv, *more, f"{self.harbour.user}@localhost", *([command] if command is not None else [])]
        return subprocess.run(argv, input=sent, capture_output=True, timeout=60, check=False)

    def git(self, *args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            "GIT_SSH_COMMAND": " ".join(self.argv),
            **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        return subprocess.run(["git", *args], cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)

    def url(self, app: str) -> str:
        return f"ssh://{self.harbour.user}@localhost:{self.harbour.port}/{app}.git"


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    if not shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip("there is no sshd here (Debian: openssh-server)")
    folder = tmp_path_factory.mktemp("harbour")
    with open_house(folder, WHERRY_SSH_PORT=str(free_port())) as house:
        world, said = house.world, list[str]()
        _, sshd = ssh.services(world.settings, Home(folder), listens, said.append)
        assert "host key SHA256:" in said[0]
        world.keys.tell()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            found = world.ssh
            assert found
            secret = world.ssh_folder.open_door(listener.getsockname()[1], found.user)
            transport = SshTransport(Repositories(folder / "sources", FOLDER))
            door = Door(world.settings, world.access, world.keys, transport, Tickets(world.ticket_key), secret)
            thread = threading.Thread(target=door.serve, args=(listener,), name="door")
            thread.start()
            with (folder / "sshd.log").open("wb") as log:
                server = subprocess.Popen(sshd.argv, env=dict(sshd.env), stdout=log, stderr=subprocess.STDOUT)
            try:
                eventually(sshd.ready)
                yield Harbour(house, folder / "sshd.log", folder)
            finally:
                server.terminate()
                server.wait(60)
                listener.shutdown(socket.SHUT_RDWR)
                thread.join(60)
                shutil.rmtree(world.ssh_folder.path)


def new_key(folder: Path, *options: str, comment: str = "me@laptop") -> Path:
    path = folder / f"key-{next(_numbers)}"
    argv = ["ssh-keygen", "-q", *(options or ("-t", "ed25519")), "-N", "", "-C", comment, "-f", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture
def person(harbour: Harbour, tmp_path: Path) -> Person:
    """The owner, with a key of their own."""
    return enrol(harbour, tmp_path, "owner")


def enrol(harbour: Harbour, folder: Path, by: str) -> Person:
    key = new_key(folder, comment=f"{by}-{next(_numbers)}@laptop")
    answer = harbour.house.call("POST", "/account/keys", {"public_key": key.with_suffix(".pub").read_text()}, by=by)
    assert answer.status == 201, answer.text
    return Person(harbour, key)
