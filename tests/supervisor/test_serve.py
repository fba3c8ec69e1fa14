"""Each process of the platform alone, as in a container: it starts, and SIGTERM ends it though it is process 1."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from wherry.domain.errors import InvalidInput
from wherry.home import Home
from wherry.settings import Settings
from wherry.sources.ssh_folder import SshFolder
from wherry.supervisor.serve import keep_apart, lay_secrets, prepare
from wherry.supervisor.services import listens

from tests.ports import free_port

ALONE = ("web", "worker", "logs", "terminal", "ssh-door")


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a namespace of processes")
def test_each_process_serves_alone_and_ends_by_sigterm_as_process_1(tmp_path: Path) -> None:
    ports = {"WHERRY_WEB_PORT": str(free_port()), "WHERRY_TERMINAL_PORT": str(free_port())}
    given = {**ports, "WHERRY_HOME": str(tmp_path / "home"), "WHERRY_SSH_PORT": str(free_port())}
    settings = Settings.load(given)
    prepare(settings, Home(settings.folder), None)
    started = {}
    for name in ALONE:
        argv = ["unshare", "--pid", "--fork", "--kill-child", sys.executable, "-m", "wherry.supervisor", "serve", name]
        with (tmp_path / f"{name}.log").open("wb") as log:
            started[name] = subprocess.Popen(argv, env={**os.environ, **given}, stdout=log, stderr=log, cwd=tmp_path)
    try:
        signs = {
            "web": lambda: listens("127.0.0.1", int(ports["WHERRY_WEB_PORT"])),
            "terminal": lambda: listens("127.0.0.1", int(ports["WHERRY_TERMINAL_PORT"])),
        }
        until = time.monotonic() + 200
        for name, child in started.items():
            while not (takes_sigterm(child.pid) and signs.get(name, lambda: True)()):
                assert child.poll() is None, (tmp_path / f"{name}.log").read_text()
                assert time.monotonic() < until, (name, (tmp_path / f"{name}.log").read_text())
                time.sleep(0.05)
        for child in started.values():
            os.kill(inner(child.pid), signal.SIGTERM)
        assert {name: child.wait(90) for name, child in started.items()} == dict.fromkeys(ALONE, 0)
    finally:
        for child in started.values():
            child.kill()
            child.wait()
        shutil.rmtree(SshFolder.of(settings.folder, Home(settings.folder).platform).path)


def inner(unshare: int) -> int:
    """Process 1 of the namespace; 0 before there is one."""
    children = Path(f"/proc/{unshare}/task/{unshare}/children").read_text().split()
    return int(children[0]) if children else 0


def takes_sigterm(unshare: int) -> bool:
    """Whether it has a handler (proc(5), SigCgt): a process 1 without one never sees the signal."""
    if not (first := inner(unshare)):
        return False
    caught = Path(f"/proc/{first}/status").read_text().partition("SigCgt:")[2].split()[0]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def test_mounted_secrets_become_files_of_ours_alone_and_another_value_is_refused(tmp_path: Path) -> None:
    given, folder = tmp_path / "given", tmp_path / "secrets"
    (given / "..data").mkdir(parents=True)
    folder.mkdir()
    (given / "..data/master.key").write_text("ab" * 32)
    (given / "master.key").symlink_to("..data/master.key")
    lay_secrets(given, folder)
    lay_secrets(given, folder)
    laid = folder / "master.key"
    assert (laid.read_text(), stat.S_IMODE(laid.stat().st_mode)) == ("ab" * 32 + "\n", 0o600)
    (given / "..data/master.key").write_text("cd" * 32)
    with pytest.raises(InvalidInput, match="not the one"):
        lay_secrets(given, folder)
    assert laid.read_text() == "ab" * 32 + "\n"


def test_what_tells_of_one_machine_lies_apart_from_the_shared_folder(tmp_path: Path) -> None:
    shared, own = tmp_path / "shared", tmp_path / "own"
    own.mkdir()
    (shared / "run").mkdir(parents=True)
    (shared / "run/worker.pid").write_text("1 2")
    for _ in range(2):
        keep_apart(shared, own)
        Home(shared).prepare()
    (shared / "run/ledger.bell").touch()
    assert [each.name for each in (own / "run").iterdir()] == ["ledger.bell"]
    assert (shared / "ssh").readlink() == own / "ssh"
