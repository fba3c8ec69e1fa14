"""`wherry keys` and the git remote over SSH."""

from __future__ import annotations

import json
import subprocess

from wherry.sources.ssh_folder import SshAddress

from tests.api.house import House
from tests.cli.conftest import Terminal


def test_keys_are_added_listed_and_removed(terminal: Terminal) -> None:
    assert terminal.wherry("keys:add").code == 2
    folder = terminal.home / ".ssh"
    folder.mkdir()
    for name in ("id_ed25519", "other"):
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@laptop", "-f", str(folder / name)]
        subprocess.run(argv, check=True)
    assert terminal.wherry("keys:add").code == 0
    assert terminal.wherry("keys:add", str(folder / "other")).code == 0  # its .pub is meant
    assert terminal.wherry("keys:add").code == 5
    shown = terminal.wherry("keys").out
    assert shown.startswith("=== owner@example.org keys\nSHA256:")
    assert "id_ed25519@laptop" in shown
    assert [each["comment"] for each in json.loads(terminal.wherry("keys", "--json").out)] == [
        "id_ed25519@laptop",
        "other@laptop",
    ]
    assert terminal.wherry("keys:remove", "other@laptop").code == 0
    assert terminal.wherry("keys:remove", "other@laptop").code == 4
    assert terminal.wherry("keys:clear").code == 0
    assert terminal.wherry("keys").out == ""


def test_b87_a_private_key_never_leaves_the_machine(terminal: Terminal) -> None:
    path = terminal.home / "private"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    path.with_suffix(".pub").unlink()
    said = terminal.wherry("keys:add", str(path))
    assert (said.code, "private key" in said.err) == (3, True)


def test_a_remote_over_ssh_names_its_app(terminal: Terminal, house: House, app: str) -> None:
    terminal.git("init", "-q", "-b", "main")
    assert terminal.wherry("git:remote", "-a", app, "--ssh").code == 2
    home = house.world.settings.folder
    SshAddress("wherry", 8304, "SHA256:abc").write(home)
    try:
        said = terminal.wherry("git:remote", "-a", app, "--ssh")
        assert (said.code, "SHA256:abc" in said.err) == (0, True)
        assert terminal.git("remote", "get-url", "wherry").out == f"ssh://wherry@localhost:8304/{app}.git\n"
        assert f"ssh://wherry@localhost:8304/{app}.git" in terminal.wherry("info").out
    finally:
        SshAddress.forget(home)
