"""Config by hand: set, import, edit, get, in every form."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest

from tests.api.house import House
from tests.cli.conftest import Terminal

VALUES = {
    "PLAIN": "hello",
    "EMPTY": "",
    "QUOTES": """it's "quoted" $HOME `x` \\n {{y}}""",
    "LINES": "one\n---\nno\n",
    "BLANKS": "  0123 ",
    "BOAT": "\U0001f6a2 \u2028 \u00a0",
}
EDITED = {**VALUES, "CR": "a\rb"}  # this terminal reads a carriage return as the end of a line, a file does not


@pytest.fixture
def at(terminal: Terminal, app: str) -> Terminal:
    terminal.env["WHERRY_APP"] = app
    return terminal


def editor(terminal: Terminal, script: str) -> None:
    """An editor of two words that does what `script` (Python, `path`, `text`) says; its name has a blank."""
    program = terminal.folder / "my editor.py"
    program.write_text(f"import sys, pathlib\npath = pathlib.Path(sys.argv[-1])\ntext = path.read_text()\n{script}\n")
    terminal.env["EDITOR"] = f"python3 '{program}'"


def kept(said: str) -> Path:
    return Path(next(line for line in said.split("\n") if "is kept" in line).split(" in ")[1])


def test_b08_what_config_prints_for_a_shell_is_read_back_byte_for_byte(house: House, at: Terminal, app: str) -> None:
    assert house.call("PATCH", f"/apps/{app}/config-vars", VALUES).status == 200
    printed = at.wherry("config", "-s").out
    keys = " ".join(f'"${key}"' for key in VALUES)
    script = f"set -a; . ./printed; printf '%s\\0' {keys}"
    (at.folder / "printed").write_bytes(printed.encode())
    read = subprocess.run(["sh", "-c", script], cwd=at.folder, capture_output=True, check=True).stdout
    assert read.decode().split("\0")[:-1] == list(VALUES.values())
    assert json.loads(at.wherry("config", "--json").out) == VALUES
    assert json.loads(at.wherry("config:get", "LINES", "BOAT", "--json").out) == {
        "LINES": VALUES["LINES"],
        "BOAT": VALUES["BOAT"],
    }
    assert at.wherry("config:unset", *VALUES, "--no-wait").code == 0
    imported = at.wherry("config:import", "-", "--no-wait", stdin=printed)
    assert imported.code == 0, imported.err
    assert house.call("GET", f"/apps/{app}/config-vars").json == VALUES


def test_a_file_is_set_in_one_release_and_what_stands_beside_it_wins(house: House, at: Terminal, app: str) -> None:
    (at.folder / ".env").write_text("A=1\nexport B='two words'\n")
    said = at.wherry("config:set", "--from-file", ".env", "A=mine", "--no-wait")
    assert (said.code, "Setting A, B and restarting" in said.err, "two words" in said.out) == (0, True, False), said.err
    assert house.call("GET", f"/apps/{app}/config-vars").json == {"A": "mine", "B": "two words"}
    assert len(house.call("GET", f"/apps/{app}/releases").json) == 2
    assert at.wherry("config:set").code == 2
    assert at.wherry("config:import", "no-such-file").code == 2


def test_a_bad_file_is_refused_with_every_line_and_changes_nothing(house: House, at: Terminal, app: str) -> None:
    (at.folder / "bad.env").write_text("A=1\nB=two words\n1C=x\nA=2\nD=$HOME\n")
    said = at.wherry("config:import", "bad.env")
    assert (said.code, [f"bad.env:{line}:" in said.err for line in (1, 2, 3, 4, 5)]) == (
        3,
        [False, True, True, True, True],
    )
    (at.folder / "reserved.env").write_text("GOOD=1\nPORT=80\n")
    assert at.wherry("config:import", "reserved.env").code == 3
    assert house.call("GET", f"/apps/{app}/config-vars").json == {}


def test_an_edit_sets_changes_and_unsets_in_one_release_and_leaves_no_file(
    house: House, at: Terminal, app: str
) -> None:
    house.call("PATCH", f"/apps/{app}/config-vars", EDITED)
    at.env["TMPDIR"] = str(at.folder)
    mode = "import os; assert os.stat(path).st_mode & 0o777 == 0o600"
    editor(
        at,
        f"{mode}\npath.write_text(text.replace('PLAIN=hello\\n', 'PLAIN=bye\\nNEW=\"a b\"\\n').replace('EMPTY=\\n', ''))",
    )
    said = at.wherry("config:edit")
    assert said.code == 0, said.err
    assert (
        said.out == "- config EMPTY: [REDACTED]\n+ config NEW: [REDACTED]\n~ config PLAIN: [REDACTED] -> [REDACTED]\n"
    )
    wanted = {**EDITED, "PLAIN": "bye", "NEW": "a b"}
    del wanted["EMPTY"]
    assert house.call("GET", f"/apps/{app}/config-vars").json == wanted
    assert house.call("GET", f"/apps/{app}/releases").json[-1]["version"] == 3
    assert list(at.folder.glob("wherry-config-*")) == []


def test_an_edit_that_changes_nothing_makes_no_release(house: House, at: Terminal, app: str) -> None:
    editor(at, "pass")
    said = at.wherry("config:edit")
    assert (said.code, "Nothing changes." in said.err) == (0, True)
    assert len(house.call("GET", f"/apps/{app}/releases").json) == 1


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("path.write_text('A=1\\nB=two words\\n')", 3),
        ("path.write_text('A=1\\nPORT=80\\n')", 3),
        ("path.write_text('A=1\\n'); sys.exit(7)", 2),
    ],
)
def test_what_was_written_is_kept_when_it_is_refused_and_can_be_gone_on_with(
    house: House, at: Terminal, app: str, script: str, code: int
) -> None:
    editor(at, script)
    said = at.wherry("config:edit")
    assert said.code == code
    path = kept(said.err)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("A=1\n")
    assert house.call("GET", f"/apps/{app}/config-vars").json == {}
    editor(at, "path.write_text(text.split('\\n')[0])")
    assert at.wherry("config:edit", "--from", str(path), "--no-wait").code == 0
    assert house.call("GET", f"/apps/{app}/config-vars").json == {"A": "1"}
    path.unlink()


@pytest.mark.parametrize("command", ["/no/such/editor", "'open", "   "])
def test_an_editor_that_cannot_be_started_is_named(at: Terminal, command: str) -> None:
    at.env["EDITOR"] = command
    assert at.wherry("config:edit").code == 2


def test_no_shell_reads_the_editors_command(at: Terminal) -> None:
    at.env["EDITOR"] = "true; touch owned #"
    at.wherry("config:edit")
    assert not (at.folder / "owned").exists()
