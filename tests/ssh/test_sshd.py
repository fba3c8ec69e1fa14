"""git over SSH with a real sshd and the real ssh: what it takes, and all that it does not."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest
from wherry.hook import FOLDER

from tests.api.house import eventually
from tests.ssh.conftest import Harbour, Person, enrol, new_key

_numbers = itertools.count(1)


def repository(person: Person, folder: Path) -> Path:
    tree = folder / f"tree-{next(_numbers)}"
    tree.mkdir()
    (tree / "Procfile").write_text("web: serve\n")
    for args in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "First")):
        assert person.git(*args, cwd=tree).returncode == 0
    return tree


def app(harbour: Harbour, by: str = "owner") -> str:
    name = f"afloat-{next(_numbers)}"
    harbour.house.create(name, by=by)
    return name


def test_a_push_builds_and_releases_and_comes_back_by_a_fetch(harbour: Harbour, person: Person, tmp_path: Path) -> None:
    name, tree = app(harbour), repository(person, tmp_path)
    pushed = person.git("push", person.url(name), "main", cwd=tree)
    assert pushed.returncode == 0, pushed.stderr + harbour.log.read_text()
    assert "remote: -----> Building" in pushed.stderr
    assert "deployed to Wherry" in pushed.stderr
    cloned = person.git("clone", "-q", person.url(name), str(tmp_path / "clone"), cwd=tmp_path)
    assert (cloned.returncode, (tmp_path / "clone/Procfile").read_text()) == (0, "web: serve\n")
    events = harbour.house.call("GET", f"/apps/{name}/events", headers={"Range": "number ..; max=50"}).text
    assert "git over ssh from 127.0.0.1" in events or "git over ssh from ::1" in events


def test_a_failed_build_refuses_the_push(harbour: Harbour, person: Person, tmp_path: Path) -> None:
    name, tree = app(harbour), repository(person, tmp_path)
    (tree / "BREAK").touch()
    person.git("add", "-A", cwd=tree)
    person.git("commit", "-q", "-m", "Break", cwd=tree)
    pushed = person.git("push", person.url(name), "main", cwd=tree)
    assert pushed.returncode == 1
    assert "the build broke" in pushed.stderr
    assert person.git("ls-remote", person.url(name), cwd=tree).stdout == ""


def test_a_client_that_goes_during_the_build_leaves_a_push_that_is_stored_and_released(
    harbour: Harbour, person: Person, tmp_path: Path
) -> None:
    name, tree = app(harbour), repository(person, tmp_path)
    (tree / "WAIT").touch()
    person.git("add", "-A", cwd=tree)
    person.git("commit", "-q", "-m", "Wait", cwd=tree)
    builder = harbour.house.builder
    builder.began.clear()
    builder.go.clear()
    env = {"GIT_SSH_COMMAND": " ".join(person.argv), "PATH": "/usr/bin:/bin"}
    client = subprocess.Popen(
        ["git", "push", "-q", person.url(name), "main"],
        cwd=tree,
        env=env,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert builder.began.wait(60)
    subprocess.run(["kill", "-9", "--", f"-{client.pid}"], check=True)
    client.wait()
    builder.go.set()
    eventually(lambda: person.git("ls-remote", person.url(name), "main", cwd=tree).stdout)
    eventually(lambda: harbour.house.call("GET", f"/apps/{name}/releases").json)


def test_t03_roles_count_as_at_every_other_door(harbour: Harbour, tmp_path: Path) -> None:
    name = app(harbour)
    other = enrol(harbour, tmp_path, "other")
    tree = repository(other, tmp_path)
    for args in (("push", other.url(name), "main"), ("ls-remote", other.url(name))):
        refused = other.git(*args, cwd=tree)
        assert refused.returncode == 128
        assert f"no app '{name}'" in refused.stderr
    missing = other.git("ls-remote", other.url("no-such-app"), cwd=tree)
    assert "no app 'no-such-app'" in missing.stderr
    admin = enrol(harbour, tmp_path, "admin")
    assert admin.git("ls-remote", admin.url(name), cwd=tree).returncode == 0


_B85 = [
    "ls",
    "git-upload-archive 'APP.git'",
    "git-receive-pack '../APP.git'",
    "git-receive-pack 'APP.git'; id",
    'git-receive-pack "a\';id"',
    "git-receive-pack '-oProxyCommand=id'",
    "git-receive-pack  'APP.git'",
    "git receive-pack 'APP.git'",
    "git-receive-pack APP.git",
    "git-receive-pack 'APP.git' ",
    "git-receive-pack 'APP.git'\nid",
    "git-receive-pack '//APP.git'",
    "git-receive-pack 'APP.git/../APP.git'",
    "git-receive-pack 'APP'",
    "git-receive-pack '1.git'",
    "git-receive-pack '$(id).git'",
    "git-receive-pack '" + "x" * 65_000 + ".git'",
    "scp -t /tmp",
    "internal-sftp",
    "bash -i",
]


@pytest.mark.parametrize("command", _B85, ids=[each[:40] for each in _B85])
def test_b85_no_command_but_git_push_and_fetch_of_one_app(harbour: Harbour, person: Person, command: str) -> None:
    refused = person.ssh(command=command.replace("APP", "afloat-1"))
    assert refused.returncode == 128
    assert refused.stdout == b""
    assert b"git push and git fetch only" in refused.stderr


def test_t34_there_is_no_shell_no_terminal_no_subsystem_no_environment_and_no_forwarding(
    harbour: Harbour, person: Person
) -> None:
    shell = person.ssh("-tt")
    assert (shell.returncode in (128, 255), shell.stdout) == (True, b"")
    assert b"PTY allocation request failed" in shell.stderr
    assert person.ssh("-s", command="sftp").returncode != 0
    spoken = person.ssh("-oSetEnv=BASH_ENV=/etc/passwd GIT_PROTOCOL=x", command="env")
    assert (spoken.returncode, spoken.stdout) == (128, b"")
    for forward in (["-W", "localhost:22"], ["-oExitOnForwardFailure=yes", "-R", "0:localhost:22"]):
        assert person.ssh(*forward, command="git-upload-pack 'x'").returncode in (128, 255)
    assert b"administratively prohibited" in person.ssh("-W", "localhost:22").stderr
    agent = person.ssh("-A", command="git-upload-pack 'nope.git'")
    assert agent.returncode == 128


def test_b87_unknown_and_removed_keys_are_not_let_in(harbour: Harbour, person: Person, tmp_path: Path) -> None:
    name = app(harbour)
    stranger = Person(harbour, new_key(tmp_path))
    assert b"Permission denied" in stranger.ssh(command=f"git-upload-pack '{name}.git'").stderr
    assert person.git("ls-remote", person.url(name), cwd=tmp_path).returncode == 0
    (mine,) = [
        each
        for each in harbour.house.call("GET", "/account/keys").json
        if each["public_key"] == person.key.with_suffix(".pub").read_text().strip()
    ]
    assert harbour.house.call("DELETE", f"/account/keys/{mine['id']}").status == 200
    assert b"Permission denied" in person.ssh(command=f"git-upload-pack '{name}.git'").stderr


def test_b87_the_key_of_a_removed_user_opens_nothing(harbour: Harbour, tmp_path: Path) -> None:
    name = app(harbour)
    leaver = enrol(harbour, tmp_path, "leaver")
    with harbour.house.world.ledger.begin() as tx:
        tx.accounts.remove(harbour.house.user("leaver").id, harbour.house.world.clock.now())
    refused = leaver.ssh(command=f"git-upload-pack '{name}.git'")
    assert (refused.returncode, b"not known any more" in refused.stderr) == (128, True)


def test_the_forced_command_alone_opens_nothing(harbour: Harbour) -> None:
    serve = str(FOLDER / "serve")
    done = subprocess.run(
        [serve, "1; id"], capture_output=True, timeout=60, env={"SSH_ORIGINAL_COMMAND": "x"}, check=False
    )
    assert (done.returncode, done.stdout) == (128, b"")
    no_door = subprocess.run(
        [serve, "1"], capture_output=True, timeout=60, env={"SSH_ORIGINAL_COMMAND": "x"}, check=False
    )
    assert b"The platform does not run" in no_door.stderr


def test_passwords_and_other_users_are_not_asked(harbour: Harbour, person: Person) -> None:
    tried = subprocess.run(
        [
            *person.argv,
            "-v",
            "-oPubkeyAuthentication=no",
            "-oPreferredAuthentications=password",
            "root@localhost",
            "id",
        ],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert tried.returncode == 255
    assert b"Permission denied (publickey)" in tried.stderr


def test_the_app_tells_its_ssh_url_and_host_key(harbour: Harbour, person: Person) -> None:
    name = app(harbour)
    shown = harbour.house.call("GET", f"/apps/{name}").json
    assert shown["ssh_git_url"] == person.url(name)
    scanned = subprocess.run(["ssh-keyscan", "-p", str(harbour.port), "localhost"], capture_output=True, check=True)
    listed = subprocess.run(["ssh-keygen", "-l", "-f", "-"], input=scanned.stdout, capture_output=True, check=True)
    assert shown["ssh_host_key"].encode() in listed.stdout
