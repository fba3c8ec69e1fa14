"""Completion, typed into the real shells: what is before the cursor becomes what it should, colons included."""

from __future__ import annotations

import json
import os
import pty
import shutil
import stat
import subprocess
import sys
from io import FileIO
from pathlib import Path

import pytest
from wherry.cli.completing import candidates
from wherry.cli.main import wherry
from wherry.cli.names import COMMANDS
from wherry.cli.shells import FILES, SCRIPTS
from wherry.supervisor.__main__ import commands as machine

from tests.api.house import House, eventually
from tests.cli.conftest import Terminal

PROMPT = b"ready> "
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}


@pytest.fixture
def typed(terminal: Terminal, app: str, house: House) -> Terminal:
    """A terminal with `wherry` on its PATH, and an app whose config has two keys."""
    house.call("PATCH", f"/apps/{app}/config-vars", {"DATABASE_URL": "secret", "DEBUG": "1"})
    folder = terminal.home / "bin"
    folder.mkdir()
    program = folder / "wherry"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m wherry.cli "$@"\n')
    program.chmod(0o755)
    terminal.env |= {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "WHERRY_APP": app,
        "WHERRY_COMPLETION_SECONDS": "30",  # a busy machine is no reason to complete nothing
        "TERM": "dumb",
        "PS1": PROMPT.decode(),
    }
    return terminal


def press_tab(terminal: Terminal, shell: str, *lines: str) -> list[str]:
    """The words behind `wherry` of each line, once TAB was pressed at its end, as the shell itself reads them then."""
    if shell == "fish":
        return [_in_fish(terminal, line) for line in lines]
    script = terminal.home / f"completion.{shell}"
    script.write_text(terminal.wherry("completion", shell).out)
    ours, theirs = pty.openpty()
    environ = {**terminal.environ, "INPUTRC": "/dev/null"}
    process = subprocess.Popen(
        SHELLS[shell],
        cwd=terminal.folder,
        env=environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    with os.fdopen(ours, "r+b", buffering=0) as screen:
        try:
            _read_until(screen, PROMPT)
            for line in [f"source {script}", *["bindkey -e"] * (shell == "zsh")]:
                screen.write(f"{line}\n".encode())
                _read_until(screen, PROMPT)
            return [_completed(screen, line) for line in lines]
        finally:
            process.kill()
            process.wait()


def _completed(screen: FileIO, line: str) -> str:
    """Ctrl-A goes to the begin of the line, Ctrl-E to its end: the completed line becomes words that are printed."""
    screen.write(f"{line}\t\x01printf '<%s>' \x05'END'\n".encode())
    text = _read_until(screen, b"END>")
    _read_until(screen, PROMPT)
    assert b"Traceback" not in text
    words = text.decode().rpartition("<wherry><")[2].removesuffix("END>")
    return " ".join(words.split("><"))


def _read_until(screen: FileIO, mark: bytes) -> bytes:
    text = b""
    while mark not in text:
        text += screen.read(1)
    return text


def _in_fish(terminal: Terminal, line: str) -> str:
    """The one candidate in the place of the line's last word."""
    script = terminal.home / "completion.fish"
    script.write_text(terminal.wherry("completion", "fish").out)
    argv = ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"]
    done = subprocess.run(argv, env=terminal.environ, cwd=terminal.folder, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    found = [each.partition("\t")[0] for each in done.stdout.splitlines()]
    return " ".join([*line.split(" ")[1:-1], *found])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_real_shell_completes_commands_options_and_what_the_platform_knows(
    typed: Terminal, shell: str, house: House
) -> None:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} here")
    house.create(f"only-of-{shell}")
    expected = {  # a blank at the end: the shell takes the word for whole
        "wherry ps:sc": "ps:scale ",
        "wherry releases:roll": "releases:rollback ",
        "wherry ps sca": "ps scale ",
        "wherry releases:retry --no-w": "releases:retry --no-wait ",
        f"wherry ps -a only-of-{shell[0]}": f"ps -a only-of-{shell} ",
        f"wherry ps --app=only-of-{shell[0]}": f"ps --app=only-of-{shell} ",
        "wherry ps:scale wo": "ps:scale worker=",
        "wherry config:unset DAT": "config:unset DATABASE_URL ",
        "wherry releases:rollback v": "releases:rollback v",  # v1 or v2
        "wherry completion f": "completion fish ",
    }
    if shell == "fish":
        del expected["wherry releases:rollback v"]
    if shell != "bash":  # zsh takes its blank away again when the cursor moves
        expected = {line: words.rstrip() for line, words in expected.items()}
    assert dict(zip(expected, press_tab(typed, shell, *expected), strict=True)) == expected


def found(terminal: Terminal, *words: str) -> list[str]:
    terminal.env["_WHERRY_COMPLETE"] = "fish"
    try:
        said = terminal.wherry("--", *words)
    finally:
        del terminal.env["_WHERRY_COMPLETE"]
    assert (said.code, said.err) == (0, "")
    return said.out.splitlines()


def test_values_come_with_words_and_of_the_app_that_is_meant(typed: Terminal, app: str) -> None:
    other = f"{app}-other"
    typed.house.create(other)
    typed.house.release(other)
    assert found(typed, "releases:rollback", "")[0].startswith("v2\t")
    assert [line.partition("\t")[0] for line in found(typed, "releases:rollback", "-a", other, "")] == ["v1"]
    assert found(typed, "config:set", "DE") == ["DEBUG="]
    assert found(typed, "keys:add", "") == [FILES]
    assert found(typed, "pipelines:add", "x", "-s", "st") == ["staging"]
    assert found(typed, "apps:create", "") == []
    assert found(typed, "nonsense", "") == []
    typed.git("init", "-q")
    typed.git("remote", "add", "staging", "http://localhost/x.git")
    assert found(typed, "ps", "-r", "") == ["staging"]


def test_what_was_known_stays_known_for_its_owner_only_while_the_platform_is_away(typed: Terminal) -> None:
    app = typed.env["WHERRY_APP"]
    assert found(typed, "config:unset", "D") == ["DATABASE_URL", "DEBUG"]
    (path,) = (typed.home / ".cache" / "wherry").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "secret" not in path.read_text()
    assert typed.env["WHERRY_API_KEY"] not in path.name + path.read_text()
    kept = json.loads(path.read_text())
    kept[f"config {app}"] = {"at": kept[f"config {app}"]["at"] - 60, "found": [["OLD", ""]]}
    path.write_text(json.dumps(kept))
    assert found(typed, "config:unset", "") == ["DATABASE_URL", "DEBUG"]
    path.write_text(json.dumps(kept))
    _move(path, typed, "http://127.0.0.1:9")
    assert found(typed, "config:unset", "") == ["OLD"]
    typed.env["WHERRY_API_KEY"] = "another"
    assert found(typed, "config:unset", "") == []
    assert typed.wherry("logout").code == 0
    assert list(path.parent.iterdir()) == []


def _move(path: Path, terminal: Terminal, url: str) -> None:
    """What is known of one platform becomes what is known of another, which nobody serves."""
    from wherry.cli.places import Endpoint
    from wherry.cli.suggestions import _cache_name
    from wherry.domain.secret import Secret

    terminal.env["WHERRY_API_URL"] = url
    path.rename(path.with_name(_cache_name(Endpoint(url, Secret(terminal.env["WHERRY_API_KEY"]), ""))))


def test_completing_reads_no_value_of_config(typed: Terminal) -> None:
    app = typed.env["WHERRY_APP"]
    assert found(typed, "config:get", "")
    assert "config.read" not in [each["action"] for each in typed.house.call("GET", f"/apps/{app}/events").json]


def test_b90_a_damaged_cache_and_hostile_names_reach_no_shell(typed: Terminal, house: House) -> None:
    def is_offered() -> bool:
        """In the end: a platform that answers too late for one TAB is asked at the next."""
        return typed.env["WHERRY_APP"] in found(typed, "ps", "-a", "")

    eventually(is_offered)
    (path,) = (typed.home / ".cache" / "wherry").iterdir()
    for content in ("", "[]", '{"apps": 3}', '{"apps": {"at": "x"}}', '{"apps": {"at": 1e300, "found": [[1]]}}'):
        path.write_text(content)
        eventually(is_offered)
    entry = [["$(touch pwned)", ""], ["a\nb", ""], ["\x1b[2J", ""], ["fine", "\x1b[2J\t"]]
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({"apps": {"at": kept["apps"]["at"], "found": entry}}))
    (line,) = found(typed, "ps", "-a", "")
    assert (line.partition("\t")[0], "\x1b" in line) == ("fine", False)


def test_every_command_and_its_options_are_completed(typed: Terminal) -> None:
    assert {each.value for each in candidates(wherry, ["con"])} == {n for n in COMMANDS if n.startswith("con")}
    for name in COMMANDS:
        assert "--help" in [each.value for each in candidates(wherry, [name, "--"])]
    assert set(SCRIPTS) == {"bash", "zsh", "fish"}
    for name, command in machine.commands.items():
        has = {each for option in command.params for each in option.opts if each.startswith("--")} - {"--progress-to"}
        assert command.hidden or {each.value for each in candidates(wherry, [name, "--"])} == has
