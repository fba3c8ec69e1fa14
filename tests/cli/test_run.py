"""`wherry run` and its kin, typed at a real terminal and in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from wherry.certificate import Certificate

from tests.api.house import House, eventually
from tests.cli.conftest import Terminal
from tests.terminal.doors import open_door


@pytest.fixture(autouse=True)
def door(house: House) -> Iterator[None]:
    with open_door(house.world):
        yield


class Screen:
    """A command at a terminal of 30 × 100."""

    def __init__(self, terminal: Terminal, *args: str) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(terminal.folder)
            os.execve(sys.executable, [sys.executable, "-m", "wherry.cli", *args], terminal.environ | {"TERM": "vt100"})
        self.resize(30, 100)
        self.shown = b""

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, text: bytes) -> None:
        while text not in self.shown:
            self.shown += os.read(self.master, 65536)

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def end(self) -> int:
        try:
            while chunk := os.read(self.master, 65536):
                self.shown += chunk
        except OSError:
            pass  # nobody has the terminal open any more
        os.close(self.master)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def piped(terminal: Terminal, sent: bytes, *args: str) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-m", "wherry.cli", *args]
    return subprocess.run(argv, env=terminal.environ, cwd=terminal.folder, input=sent, capture_output=True, timeout=60)


def test_a_pipe_gives_and_takes_bytes_as_they_are_and_the_exit_code_is_the_commands(
    terminal: Terminal, app: str
) -> None:
    sent = bytes(range(256)) * 8000
    done = piped(terminal, sent, "run", "-a", app, "cat; echo no >&2; exit 37")
    assert done.stdout == sent
    assert (done.returncode, done.stderr.endswith(b"no\n")) == (37, True)
    assert terminal.house.runtime.tasks() == []


def test_a_terminal_has_its_size_changes_it_and_passes_ctrl_c(terminal: Terminal, app: str) -> None:
    command = "trap 'exit 6' INT; echo $TERM; while :; do stty size; sleep 0.1; done"
    screen = Screen(terminal, "run", "-x", command, "-a", app)
    screen.until(b"vt100\r\n")
    screen.until(b"30 100\r\n")
    screen.resize(50, 140)
    screen.until(b"50 140\r\n")
    screen.type(b"\x03")
    assert screen.end() == 6


def test_words_are_the_commands_but_our_own_options_wherever_they_stand(terminal: Terminal, app: str) -> None:
    for words, out in (
        (["printf", "%s.", "a b", "-la", "--app", app], "a b.-la."),
        (["-a", app, "--", "echo", "-x", "-a"], "-x -a\n"),
        (["-e", "WHO=you;AND=a\\;b", "echo $WHO $AND", f"--app={app}"], "you a;b\n"),
        (["-a", app, "--no-tty", "echo", "'it'\"s\""], "'it'\"s\"\n"),
    ):
        said = terminal.wherry("run", *words)
        assert (said.code, said.out) == (0, out), said.err


def test_detached_ones_are_listed_and_stopped(terminal: Terminal, app: str) -> None:
    said = terminal.wherry("run:detached", "-a", app, "-s", "large", "sleep", "600")
    assert said.code == 0, said.err
    name = said.err.split("done, ")[1].split("\n")[0]
    shown = terminal.wherry("ps", "-a", app).out
    assert shown.startswith(f"=== run: one-off processes (1)\n{name}: up (v1)")
    assert ": sleep 600\n" in shown
    assert terminal.wherry("ps:stop", name, "-a", app).code == 0
    assert "one-off" not in terminal.wherry("ps", "-a", app).out
    assert terminal.wherry("ps:stop", name, "-a", app).code == 4
    eventually(lambda: terminal.house.runtime.tasks() == [])


def test_inside_a_process(terminal: Terminal, app: str) -> None:
    assert terminal.wherry("run:inside", "web.1", "echo", "within", "-a", app).out == "within\n"
    assert terminal.wherry("ps:exec", "-d", "web.1", "-a", app, "exit 8").code == 8
    assert terminal.wherry("run:inside", "web.9", "true", "-a", app).code == 4


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (["run"], 2, "say what to run"),
        (["run", "-s", "giant", "true"], 3, "no 'giant'"),
        (["run", "-e", "PORT=1", "true"], 3, "set by the platform"),
        (["run", "-e", "nothing", "true"], 3, "NAME=VALUE"),
        (["run:inside", "web.1"], 2, "say what to run"),
        (["run", "true", "-a", "no-such-app"], 4, "no app"),
    ],
)
def test_b90_what_cannot_be_run_says_so(terminal: Terminal, app: str, args: list[str], code: int, word: str) -> None:
    said = terminal.wherry(*args, *([] if "-a" in args else ["-a", app]))
    assert (said.code, word in said.err) == (code, True), said.err


def test_b90_another_certificate_is_no_platform(terminal: Terminal, app: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "secrets").mkdir()
    other = Certificate.of(tmp_path)
    other.ensure()
    chain = terminal.house.world.certificate.chain
    true = chain.read_text()
    try:
        chain.write_text(other.chain.read_text())
        said = terminal.wherry("run", "true", "-a", app)
    finally:
        chain.write_text(true)
    assert (said.code, "another certificate" in said.err) == (13, True), said.err


def test_b90_a_closed_door_is_told(terminal: Terminal, app: str, house: House) -> None:
    port = house.world.settings.number("terminal_port")
    object.__setattr__(house.world.settings, "terminal_port", "1")
    try:
        said = terminal.wherry("run", "true", "-a", app)
    finally:
        object.__setattr__(house.world.settings, "terminal_port", str(port))
    assert (said.code, "WHERRY_TERMINAL_PORT" in said.err) == (13, True), said.err
