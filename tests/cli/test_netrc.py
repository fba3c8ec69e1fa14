"""The token in the user's netrc: for the platform's host, for nobody else, and only from a file that is theirs."""

import os
import pty
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from tests.api.house import House
from tests.cli.conftest import Terminal


@pytest.fixture
def stranger(terminal: Terminal) -> Terminal:
    """Knows where the platform is, and no token."""
    terminal.env = {"WHERRY_API_URL": terminal.house.url}
    return terminal


def write(terminal: Terminal, text: str, mode: int = 0o600, name: str = ".netrc") -> None:
    path = terminal.home / name
    path.write_text(text)
    path.chmod(mode)


def test_netrc_opens_the_api_and_git_alike(house: House, stranger: Terminal, app: str) -> None:
    write(stranger, f"machine elsewhere password no\nmachine localhost\n login me\n password {house.token('owner')}\n")
    said = stranger.wherry("whoami")
    assert said.out == "owner@example.org\n"
    assert f"from {stranger.home}/.netrc" in said.err
    assert stranger.git("clone", "-q", f"{house.url}/{app}.git", "cloned").code == 0
    said = stranger.wherry("login", house.url)
    assert (said.code, "Taking the token" in said.err) == (0, True), said.err
    assert house.token("owner") not in said.out + said.err


def test_the_port_counts_before_the_host_and_another_host_or_default_never(house: House, stranger: Terminal) -> None:
    token = house.token("owner")
    port = urlsplit(house.url).port
    write(stranger, f"machine localhost password wrong\nmachine localhost:{port} password {token}\n")
    assert stranger.wherry("whoami").code == 0
    write(stranger, f"machine example.org password {token}\ndefault login me password {token}\n")
    said = stranger.wherry("whoami")
    assert (said.code, "no token is known" in said.err) == (2, True)


def test_the_variable_netrc_names_another_file(house: House, stranger: Terminal) -> None:
    write(stranger, f"machine localhost password {house.token('owner')}\n", name="mine")
    stranger.env["NETRC"] = str(stranger.home / "mine")
    assert stranger.wherry("whoami").code == 0


def test_a_token_of_ones_own_counts_before_netrc(house: House, stranger: Terminal) -> None:
    write(stranger, "machine localhost password wrong\n")
    stranger.env["WHERRY_API_KEY"] = house.token("owner")
    assert stranger.wherry("whoami").code == 0


def test_a_netrc_that_others_can_read_is_refused_with_the_command_that_mends_it(
    house: House, stranger: Terminal
) -> None:
    write(stranger, f"machine localhost password {house.token('owner')}\n", mode=0o640)
    said = stranger.wherry("whoami")
    assert (said.code, f"chmod 600 {stranger.home}/.netrc" in said.err) == (2, True)
    write(stranger, "machine example.org password x\n", mode=0o644)
    assert "no token is known" in stranger.wherry("whoami").err


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")
def test_a_netrc_of_another_user_is_refused(house: House, stranger: Terminal) -> None:
    write(stranger, f"machine localhost password {house.token('owner')}\n")
    os.chown(stranger.home / ".netrc", 65534, 65534)
    assert "belongs to another user" in stranger.wherry("whoami").err


@pytest.mark.parametrize("text", ["garbage s3cret\n", "machine localhost s3cret\n", "machine localhost password \0\n"])
def test_b90_a_damaged_netrc_is_named_and_not_quoted(stranger: Terminal, text: str) -> None:
    write(stranger, text)
    said = stranger.wherry("whoami")
    assert said.code in (2, 6)
    assert "s3cret" not in said.err


@pytest.mark.parametrize(("typed", "code"), [("", 0), ("another", 6)])
def test_at_a_terminal_enter_takes_the_token_of_netrc_and_another_can_be_typed(
    house: House, stranger: Terminal, typed: str, code: int
) -> None:
    write(stranger, f"machine localhost password {house.token('owner')}\n")
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "wherry.cli", "login", house.url]
    with subprocess.Popen(
        argv, env=stranger.environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        with open(ours, "r+b", buffering=0) as screen:
            while b"Enter: that of" not in screen.read(4096):
                pass
            screen.write(typed.encode() + b"\n")
            assert process.wait(60) == code
