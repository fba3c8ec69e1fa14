"""What a user types, from the first command to the last, against a real server."""

from __future__ import annotations

import json
import stat

from tests.api.house import House, eventually
from tests.cli.conftest import Terminal


def test_create_push_scale_roll_back_destroy(house: House, terminal: Terminal) -> None:
    terminal.git("init", "-q", "-b", "main")
    said = terminal.wherry("create", "storyteller")
    assert (said.code, said.out) == (0, f"http://storyteller.localhost:8300/ | {house.url}/storyteller.git\n")
    assert "Creating storyteller... done\n" in said.err
    assert terminal.git("remote", "get-url", "wherry").out == f"{house.url}/storyteller.git\n"

    for number in (1, 2):
        (terminal.folder / "Procfile").write_text(f"web: serve {number}\nworker: work\n")
        terminal.git("add", "-A")
        terminal.git("commit", "-q", "-m", f"Number {number}")
        pushed = terminal.git("push", "-q", "wherry", "main")
        assert pushed.code == 0, pushed.err

    shown = terminal.wherry("releases")
    first, *rows = shown.out.rstrip("\n").split("\n")
    assert first == "=== storyteller Releases - Current: v2"
    assert [row.split()[:2] for row in rows] == [["v2", "Deploy"], ["v1", "Deploy"]]
    assert "succeeded  owner@example.org  2" in rows[0]

    rolled = terminal.wherry("releases:rollback", "v1")
    assert rolled.code == 0, rolled.err
    assert "Rolling back storyteller to v1... done, v3\n" in rolled.err
    assert "Released v3" in rolled.err
    newest = json.loads(terminal.wherry("releases", "--json", "-n", "1").out)[0]
    assert (newest["version"], newest["description"], newest["status"]) == (3, "Rollback to v1", "succeeded")

    scaled = terminal.wherry("ps", "scale", "web=3", "worker+1:large")
    assert "Scaling processes... done, now running web at 3:basic, worker at 1:large\n" in scaled.err
    assert terminal.wherry("ps:scale").out == "web=3:basic worker=1:large\n"
    eventually(lambda: len(json.loads(terminal.wherry("ps", "--json").out)) == 4)
    assert "=== web (basic): serve 1 (3)" in terminal.wherry("ps", "web").out

    refused = terminal.wherry("apps:destroy")
    assert (refused.code, "wherry apps:destroy -a storyteller --confirm storyteller" in refused.err) == (2, True)
    assert terminal.wherry("apps:destroy", "--confirm", "other").code == 2
    gone = terminal.wherry("apps:destroy", "--confirm", "storyteller")
    assert (gone.code, terminal.git("remote").out) == (0, "")
    assert terminal.wherry("apps:info", "-a", "storyteller").code == 4


def test_the_token_that_git_uses_is_its_owners_to_read_only(house: House, terminal: Terminal) -> None:
    terminal.git("init", "-q", "-b", "main")
    terminal.wherry("create", "secretive")
    path = terminal.home / ".config" / "wherry" / "git-credentials"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text() == f"http://wherry:{house.token('owner')}@localhost:{house.port}\n"
    helper = terminal.git("config", "--local", "--get-regexp", r"^credential\.").out
    assert helper == f"credential.{house.url}.helper store --file={path}\n"
    assert terminal.git("ls-remote", "wherry").code == 0
    assert house.token("owner") not in (terminal.folder / ".git" / "config").read_text()


def test_a_new_token_takes_the_place_of_the_one_that_git_stored_again(house: House, terminal: Terminal) -> None:
    terminal.git("init", "-q", "-b", "main")
    terminal.wherry("create", "forgetful")
    assert terminal.git("ls-remote", "wherry").code == 0
    path = terminal.home / ".config" / "wherry" / "git-credentials"
    stored = path.read_text()
    assert "localhost%3a" in stored, "git quotes the colon when it stores what has worked"
    path.write_text(stored.replace(house.token("owner"), "stale"))
    terminal.wherry("git:remote", "-a", "forgetful")
    assert "stale" not in path.read_text()
    assert terminal.git("ls-remote", "wherry").code == 0


def test_a_remote_that_leads_elsewhere_is_left_alone_until_it_is_asked_for(house: House, terminal: Terminal) -> None:
    terminal.git("init", "-q", "-b", "main")
    terminal.git("remote", "add", "wherry", "http://elsewhere.example/x.git")
    said = terminal.wherry("create", "stubborn")
    assert said.code == 0
    assert "wherry git:remote -a stubborn" in said.err
    assert terminal.git("remote", "get-url", "wherry").out == "http://elsewhere.example/x.git\n"
    assert terminal.wherry("git:remote", "-a", "stubborn").code == 0
    assert terminal.git("remote", "get-url", "wherry").out == f"{house.url}/stubborn.git\n"


def test_outside_of_a_repository_the_app_is_made_and_the_next_command_told(terminal: Terminal) -> None:
    said = terminal.wherry("create", "homeless")
    assert said.code == 0
    assert "wherry git:remote -a homeless" in said.err


def test_a_rename_takes_the_remotes_along(house: House, terminal: Terminal) -> None:
    terminal.git("init", "-q", "-b", "main")
    terminal.wherry("create", "before-it")
    said = terminal.wherry("apps:rename", "after-it")
    assert said.code == 0, said.err
    assert terminal.git("remote", "get-url", "wherry").out == f"{house.url}/after-it.git\n"
    assert terminal.wherry("url").out == "http://after-it.localhost:8300/\n"


def test_config_is_set_got_and_unset_byte_for_byte(terminal: Terminal, app: str) -> None:
    value = "it's $(id) \n two lines \x1b[2J"
    said = terminal.wherry("config:set", f"A={value}", "B=2", "-a", app)
    assert said.code == 0, said.err
    assert f"Setting A, B and restarting {app}... done, v2\n" in said.err
    assert "\x1b" not in said.out + said.err
    assert terminal.wherry("config:get", "A", "-a", app).out == value + "\n"
    assert json.loads(terminal.wherry("config", "--json", "-a", app).out) == {"A": value, "B": "2"}
    assert terminal.wherry("config", "-s", "-a", app).out == "A='it'\"'\"'s $(id) \n two lines \x1b[2J'\nB=2\n"
    shown = terminal.wherry("config", "-a", app).out
    assert shown == f"=== {app} Config Vars\nA: it's $(id) \\n two lines \\x1b[2J\nB: 2\n"
    assert (
        f"Unsetting A, B and restarting {app}... done, v3\n" in terminal.wherry("config:unset", "A", "B", "-a", app).err
    )
    assert terminal.wherry("config:get", "A", "-a", app).code == 4
    assert "done, nothing changed\n" in terminal.wherry("config:unset", "A", "-a", app).err


def test_a_rollout_that_fails_has_its_exit_code_and_the_next_command(terminal: Terminal, app: str) -> None:
    said = terminal.wherry("config:set", "MODE=deaf", "-a", app)
    assert said.code == 10
    assert "v2 did not come to serve" in said.err
    assert f"wherry releases:output v2 -a {app}" in said.err
    log = terminal.wherry("releases:output", "2", "-a", app)
    assert (log.code, "not-listening" in log.out) == (0, True)
    assert "failed (not-listening)" in terminal.wherry("releases", "-a", app).out


def test_logs_show_what_is_printed_and_follow_it(house: House, terminal: Terminal, app: str) -> None:
    with house.world.ledger.begin() as tx:
        number = tx.apps.by_name(app).id
    house.write(number, "web.1", b"hello \x1b]0;title\x07there")
    said = terminal.wherry("logs", "-a", app, "-n", "1")
    assert said.out.endswith(" app[web.1]: hello \\x1b]0;title\\x07there\n")
    with terminal.start("logs", "-t", "-a", app, "--ps", "web") as tail:
        assert tail.stdout
        assert "app[web.1]" in tail.stdout.readline()
        house.write(number, "web.1", b"and more")
        assert next(line for line in tail.stdout if "more" in line).endswith("app[web.1]: and more\n")
        tail.send_signal(2)
        assert tail.wait(60) == 130
        assert tail.stderr
        assert "Traceback" not in tail.stderr.read()


def test_builds_show_why_a_push_was_refused(terminal: Terminal) -> None:
    terminal.git("init", "-q", "-b", "main")
    terminal.wherry("create", "breaker")
    (terminal.folder / "BREAK").write_text("")
    terminal.git("add", "-A")
    terminal.git("commit", "-q", "-m", "Breaks")
    assert terminal.git("push", "wherry", "main").code == 1
    assert "failed (buildpack-failed)" in terminal.wherry("builds").out
    output = terminal.wherry("builds:output")
    assert (output.code, "line 7: nope" in output.out) == (9, True)


def test_an_app_is_shown(house: House, terminal: Terminal, app: str) -> None:
    said = terminal.wherry("apps:info", "-a", app)
    assert said.out.startswith(f"=== {app}\n")
    assert "Newest Release: v1 (succeeded)\n" in said.out
    assert f"git_url={house.url}/{app}.git\n" in terminal.wherry("info", "-s", "-a", app).out
    assert (
        json.loads(terminal.wherry("apps:info", "-a", app, "--json").out)["web_url"] == f"http://{app}.localhost:8300/"
    )
    assert [app, f"http://{app}.localhost:8300/", "owner@example.org"] in [
        line.split() for line in terminal.wherry("apps").out.split("\n")
    ]
    assert app in {each["name"] for each in json.loads(terminal.wherry("apps", "--json").out)}
    info = terminal.wherry("releases:info", "-a", app).out
    assert "=== Release v1\n" in info
    assert "Status:                 succeeded\n" in info
    assert terminal.wherry("open", "-a", app, "/x").out == f"http://{app}.localhost:8300/x\n"


def test_a_folder_is_built_without_git_and_its_ignored_files_stay_here(house: House, terminal: Terminal) -> None:
    terminal.git("init", "-q", "-b", "main")
    terminal.wherry("create", "packed", "-n")
    for name, text in {"Procfile": "web: serve\n", ".gitignore": "secret\n", "secret": "x", "BREAK": ""}.items():
        (terminal.folder / name).write_text(text)
    failed = terminal.wherry("builds:create", "-a", "packed")
    assert (failed.code, "line 7: nope" in failed.out, "Packing... done, 3 files" in failed.err) == (9, True, True)
    (terminal.folder / "BREAK").unlink()
    said = terminal.wherry("builds:create", "-a", "packed", "--version", "by hand")
    assert (said.code, "-----> Building packed" in said.out) == (0, True)
    assert "succeeded" in terminal.wherry("builds:info", "-a", "packed").out
    assert "v1" in terminal.wherry("releases", "-a", "packed").out
    ended = terminal.wherry("builds:cancel", "-a", "packed")
    assert (ended.code, "has ended: succeeded" in ended.err) == (5, True)
