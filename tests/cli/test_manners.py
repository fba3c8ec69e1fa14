"""How the command behaves whatever happens: its codes, its silence, its words, what it imports."""

from __future__ import annotations

import json
import os
import pty
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from wherry.cli import exits
from wherry.cli.names import ALIASES, COMMANDS, MACHINE
from wherry.domain import errors

from tests.api.house import House
from tests.cli.conftest import Terminal

DOCS = Path(__file__).parents[2] / "docs"
HEAVY = {
    "flask",
    "sqlalchemy",
    "docker",
    "requests",
    "werkzeug",
    "kubernetes",
    "git",
    "importlib.metadata",
    "wherry.flow",
}


@pytest.mark.parametrize("args", [["ps", "-a", "x-y"], ["--help"], ["logout"], ["config:set", "A=1", "-a", "x-y"]])
def test_starting_imports_nothing_heavy(terminal: Terminal, args: list[str]) -> None:
    script = (
        "import sys; from wherry.cli.main import _run; code = _run(sys.argv[1:]); "
        "print('\\n'.join(sys.modules), file=open('modules', 'w'))"
    )
    terminal.env = {"WHERRY_API_URL": "http://127.0.0.1:9", "WHERRY_API_KEY": "x"}
    subprocess.run(
        [sys.executable, "-c", script, *args], cwd=terminal.folder, env=terminal.environ, capture_output=True
    )
    modules = set((terminal.folder / "modules").read_text().split("\n"))
    assert "wherry.cli.main" in modules
    assert modules & HEAVY == set()
    topics = {name for name in modules if name.startswith("wherry.cli.commands.")}
    assert len(topics) <= 1


def test_every_command_says_how_it_is_used_and_loads(terminal: Terminal) -> None:
    from wherry.cli.main import wherry

    for name in [*COMMANDS, *ALIASES]:
        command = wherry.get_command(wherry.make_context("wherry", [], resilient_parsing=True), name)
        assert command is not None
        assert command.help
    assert terminal.wherry("releases:rollback", "-h").out.startswith("Usage: wherry releases:rollback")


def test_every_command_is_in_the_docs() -> None:
    text = (DOCS / "cli.md").read_text()
    assert [name for name in [*COMMANDS, *MACHINE] if f"`wherry {name}" not in text] == []
    assert [name for name in ALIASES if ":" not in name and f"`{name}`" not in text] == []


def test_every_kind_of_error_has_its_exit_code_and_all_are_in_the_docs() -> None:
    ids = {kind.id for kind in errors.WherryError.__subclasses__() if kind.__module__ == errors.__name__}
    assert ids <= set(exits.BY_ID)
    codes = [*exits.BY_ID.values(), exits.OK, exits.FAILURE, exits.USAGE, exits.INTERRUPTED, exits.BROKEN_PIPE]
    assert len(set(codes)) == len(codes)
    text = (DOCS / "cli.md").read_text()
    assert [code for code in codes if f"| {code} |" not in text] == []


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["nonsense"], 2),
        (["ps:scale", "web", "-a", "some-app"], 3),
        (["config:set", "A", "-a", "some-app"], 2),
        (["ps"], 2),
        (["ps", "-a", "no-such-app"], 4),
        (["ps", "-a", "A/../B"], 2),
        (["ps", "-r", "--upload-pack=x"], 2),
        (["create", "--", "-a"], 3),
        (["create", "admin"], 5),
        (["releases", "-n", "0", "-a", "some-app"], 2),
    ],
)
def test_what_is_wrong_has_a_code_of_its_kind(terminal: Terminal, args: list[str], code: int) -> None:
    said = terminal.wherry(*args)
    assert (said.code, said.out) == (code, "")
    assert said.err


def test_a_mistyped_command_is_told_what_is_near(terminal: Terminal) -> None:
    said = terminal.wherry("release:rollback", "v1")
    assert (said.code, "wherry releases:rollback" in said.err) == (2, True)
    assert "\x1b" not in terminal.wherry("\x1b[2J").err


def test_a_value_that_is_no_text_is_refused_here(terminal: Terminal) -> None:
    assert terminal.wherry("config:set", "A=\udcff", "-a", "some-app").code == 2


def test_b90_a_server_that_is_gone_is_named_with_the_next_command(terminal: Terminal) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        terminal.env["WHERRY_API_URL"] = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        said = terminal.wherry("apps")
    assert said.code == 13
    assert "wherry status" in said.err
    assert "refused" in said.err


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n[]",
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html>",
        b"HTTP/1.1 500 X\r\n\r\n" + json.dumps({"id": "internal_server_error", "message": "\x1b[2Jfailed"}).encode(),
    ],
)
def test_b90_a_server_that_talks_nonsense_is_an_error_and_no_traceback(terminal: Terminal, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer_once, args=(server, answer))
        thread.start()
        terminal.env["WHERRY_API_URL"] = f"http://127.0.0.1:{server.getsockname()[1]}"
        said = terminal.wherry("apps", "--json")
        thread.join()
    assert said.code in (1, 13)
    assert said.out == ""
    assert said.err.startswith(" !     ")
    assert "\x1b" not in said.err


def test_b90_a_closed_pipe_ends_it_quietly(terminal: Terminal, app: str) -> None:
    with terminal.house.world.ledger.begin() as tx:
        number = tx.apps.by_name(app).id
    terminal.house.write(number, "web.1", b"somebody reads this")
    with terminal.start("logs", "-a", app, "--tail") as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        terminal.house.write(number, "web.1", b"nobody reads this")
        assert process.wait(60) == 141
        assert process.stderr.read() == ""


def test_an_unknown_token_is_told_where_to_get_one(terminal: Terminal) -> None:
    terminal.env["WHERRY_API_KEY"] = "wrong"
    said = terminal.wherry("apps")
    assert (said.code, "wherry auth:token" in said.err) == (6, True)


def test_no_platform_at_all_says_how_to_get_one(terminal: Terminal) -> None:
    terminal.env = {}
    said = terminal.wherry("apps")
    assert (said.code, "wherry up" in said.err, "wherry login" in said.err) == (2, True, True)


def test_login_is_kept_for_its_owner_only_and_forgotten(house: House, terminal: Terminal) -> None:
    terminal.env = {}
    assert terminal.wherry("login", house.url, "--token", "wrong").code == 6
    said = terminal.wherry("login", house.url, stdin=house.token("owner") + "\n")
    assert said.code == 0, said.err
    path = terminal.home / ".config" / "wherry" / "login.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert house.token("owner") not in said.out + said.err
    assert terminal.wherry("whoami").out == "owner@example.org\n"
    terminal.env = {"WHERRY_API_URL": "http://127.0.0.1:9"}
    assert "no token is known for http://127.0.0.1:9" in terminal.wherry("whoami").err
    terminal.env = {}
    assert "not whole" in terminal.wherry("login", f"{house.url}/login?token=cut").err
    terminal.git("init", "-q")
    assert terminal.wherry("create", "logged-out").code == 0
    assert (path.parent / "git-credentials").exists()
    assert terminal.wherry("logout").code == 0
    assert list(path.parent.iterdir()) == []
    assert terminal.wherry("whoami").code == 2


def test_b90_a_login_file_that_is_damaged_says_so(terminal: Terminal) -> None:
    terminal.env = {}
    path = terminal.home / ".config" / "wherry" / "login.json"
    path.parent.mkdir(parents=True)
    for content in ("", "{", "[]", '{"api": 3, "token": "x"}', '{"api": "ftp://x", "token": "x"}'):
        path.write_text(content)
        said = terminal.wherry("apps")
        assert (said.code, "wherry login" in said.err) == (2, True), content


def test_this_machines_own_platform_is_found_by_its_home(house: House, terminal: Terminal) -> None:
    home = terminal.home / "platform"
    (home / "run").mkdir(parents=True)
    (home / "secrets").mkdir()
    (home / "run" / "status.json").write_text(json.dumps({"api": house.url}))
    (home / "secrets" / "admin-token").write_text(house.token("admin") + "\n")
    terminal.env = {"WHERRY_HOME": str(home)}
    said = terminal.wherry("whoami", "--json")
    assert json.loads(said.out)["found"] == str(home)
    assert json.loads(said.out)["email"] == "admin@example.org"


def test_which_app_is_meant(terminal: Terminal, app: str) -> None:
    url = f"http://{app}.localhost:8300/\n"
    terminal.env["WHERRY_APP"] = app
    assert terminal.wherry("url").out == url
    assert terminal.wherry("url", "-a", "other-app").code == 4
    del terminal.env["WHERRY_APP"]
    terminal.git("init", "-q")
    terminal.git("remote", "add", "staging", f"{terminal.house.url}/{app}.git")
    assert terminal.wherry("url").code == 2
    assert terminal.wherry("url", "-r", "staging").out == url
    assert terminal.wherry("url", "-r", "staging", "-a", app).code == 2


def test_colours_are_for_terminals_only_and_can_be_refused(terminal: Terminal) -> None:
    def shown(**env: str) -> bytes:
        ours, theirs = pty.openpty()
        environ = {**terminal.environ, "TERM": "xterm", **env}
        argv = [sys.executable, "-m", "wherry.cli", "ps", "-a", "no-such-app"]
        subprocess.run(argv, env=environ, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, cwd=terminal.folder)
        os.close(theirs)
        with open(ours, "rb", buffering=0) as screen:
            return screen.read(4096)

    assert b"\x1b[31m" in shown()
    assert b"\x1b" not in shown(NO_COLOR="1")
    assert b"\x1b" not in shown(TERM="dumb")
    assert "\x1b" not in terminal.wherry("ps", "-a", "no-such-app").err
    terminal.env["FORCE_COLOR"] = "1"
    assert "\x1b" in terminal.wherry("ps", "-a", "no-such-app").err


def test_commands_of_the_machine_are_handed_to_the_platforms_program(terminal: Terminal) -> None:
    said = terminal.wherry("env", "--json")
    assert said.code == 0, said.err
    assert {"WHERRY_HOME", "WHERRY_WEB_PORT"} <= {row["variable"] for row in json.loads(said.out)}
    assert json.loads(terminal.wherry("status", "--json").out)["state"] == "down"
    assert terminal.wherry("status").code == 1
    assert "Usage" in terminal.wherry("up", "--help").out


def test_a_look_at_the_machine_waits_for_no_import_of_the_platform() -> None:
    """Of its database, engine or web frameworks, which take a second or two."""
    heavy = "{'sqlalchemy', 'docker', 'flask', 'kubernetes'}"
    code = f"import sys, wherry.supervisor.__main__; print(*sorted({heavy} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_the_version_is_the_packages(terminal: Terminal) -> None:
    from importlib.metadata import version

    assert terminal.wherry("version").out.startswith(f"wherry/{version('wherry')} python/")
    assert terminal.wherry("--version").out == terminal.wherry("version").out


def _answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)


def test_help_begins_small_and_leads_to_every_command(terminal: Terminal) -> None:
    bare = terminal.wherry()
    assert (bare.code, bare.err) == (0, "")
    assert bare.out == terminal.wherry("--help").out == terminal.wherry("help").out
    assert "git push wherry main" in bare.out
    assert "ps:scale" in terminal.wherry("ps", "-h").out
    assert terminal.wherry("help", "ps", "scale").out.startswith("Usage: wherry ps:scale")
    assert "git:remote" in terminal.wherry("help", "git").out
    assert terminal.wherry("help", "nonsense").code == 2
    listed = {line.split()[0] for line in terminal.wherry("commands").out.splitlines()}
    assert listed == {*COMMANDS, *MACHINE}


def test_wrong_usage_is_told_in_the_same_form_as_other_errors(terminal: Terminal) -> None:
    said = terminal.wherry("releases", "-n", "0")
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[-1] == " !     How it is used: wherry releases -h"
    assert all(line.startswith(" !     ") for line in said.err.splitlines())


@pytest.mark.parametrize("command", ["addons:create", "pg:psql", "ps:copy", "2fa"])
def test_a_command_of_herokus_that_is_not_here_says_why_and_what_instead(terminal: Terminal, command: str) -> None:
    said = terminal.wherry(command, "-a", "some-app")
    assert (said.code, said.out) == (2, "")
    assert "Did you mean" not in said.err
    assert len(said.err.splitlines()) == 2
