"""The launcher, really run: its files are laid into a folder that stands for the image's root."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wherry.builds.built import with_default
from wherry.builds.env import Action, Change, apply
from wherry.builds.launch import SYMLINK, Part, Start, launcher_files
from wherry.builds.model import LaunchProcess
from wherry.domain.errors import BuildFailed

SHOW = ("/usr/bin/env", "-0")


class Laid:
    """An image's launcher under `root`; every path of the image in it is moved there."""

    def __init__(self, root: Path, start: Start) -> None:
        self.root = root
        (root / "workspace").mkdir(exist_ok=True)
        for path, (content, mode) in launcher_files(start).items():
            target = root / path[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            if mode == SYMLINK:
                target.symlink_to(f"{root}{content.decode()}")
            else:
                target.write_bytes(self._moved(content))
                target.chmod(mode)

    def run(self, program: str, *args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
        given = {"PATH": "/usr/bin:/bin"} | dict(env or {})
        return subprocess.run([f"{self.root}{program}", *args], env=given, capture_output=True, check=False)

    def environment(self, program: str, *args: str, env: Mapping[str, str] | None = None) -> dict[str, str]:
        done = self.run(program, *args, env=env)
        assert (done.returncode, done.stderr) == (0, b"")
        pairs = (each.split(b"=", 1) for each in done.stdout.split(b"\0") if each)
        ours = {name.decode(): value.decode("utf-8", "surrogateescape") for name, value in pairs}
        return {name: value for name, value in ours.items() if name not in ("PWD", "OLDPWD", "_", "SHLVL")}

    def _moved(self, content: bytes) -> bytes:
        for path in (b"/cnb/", b"/workspace", b"/layers/"):
            content = content.replace(path, os.fsencode(self.root) + path)
        return content


def lay(
    root: Path,
    process: LaunchProcess,
    changes: Sequence[Change] = (),
    programs: Sequence[str] = (),
    profiles: Sequence[str] = (),
) -> Laid:
    part = Part(tuple(changes), tuple(programs), tuple(profiles))
    return Laid(root, Start([process], {process.type: part, "": part}))


def process(*command: str, **more: object) -> LaunchProcess:
    return LaunchProcess("web", command, **more)  # type: ignore[arg-type]


def test_every_process_type_has_its_name_and_the_launcher_is_a_program(tmp_path: Path) -> None:
    files = launcher_files(Start([process("true")], {}))
    assert files["/cnb/process/web"] == (b"/cnb/lifecycle/launcher", SYMLINK)
    assert files["/cnb/lifecycle/launcher"][1] == 0o755
    assert sorted(files) == [
        "/cnb/lifecycle/command.sh",
        "/cnb/lifecycle/launcher",
        "/cnb/lifecycle/processes/web.sh",
        "/cnb/process/web",
    ]
    assert stat.S_ISLNK(SYMLINK)


def test_the_environment_comes_as_it_was_but_for_the_lifecycles_own(tmp_path: Path) -> None:
    given = {"PORT": "8080", "CNB_LAYERS_DIR": "/layers", "CNB_APP_DIR": "/workspace", "A": "it's $HOME `id` \n"}
    root = str(tmp_path)
    path = f"{root}/cnb/process:/usr/bin:{root}/cnb/process:/bin:{root}/cnb/process"
    env = lay(tmp_path, process(*SHOW)).environment("/cnb/process/web", env={"PATH": path, **given})
    assert env == {"PATH": "/usr/bin:/bin", "PORT": "8080", "A": "it's $HOME `id` \n"}


HARD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
CHANGES = st.lists(
    st.builds(Change, st.sampled_from(["A", "B_1", "PATH_"]), st.sampled_from(Action), HARD, HARD), max_size=6
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["A", "B_1", "C"]), HARD, max_size=3), CHANGES)
def test_b08_the_shell_does_what_the_rules_say_with_any_text(
    tmp_path: Path, before: dict[str, str], changes: list[Change]
) -> None:
    env = lay(tmp_path, process(*SHOW), changes).environment("/cnb/process/web", env=before)
    assert env == {"PATH": "/usr/bin:/bin"} | apply(before, changes)


def test_bytes_that_are_not_text_reach_the_process(tmp_path: Path) -> None:
    changes = [Change("A", Action.OVERRIDE, b"\xff\xfe".decode("utf-8", "surrogateescape"))]
    env = lay(tmp_path, process(*SHOW), changes).environment("/cnb/process/web")
    assert env["A"].encode("utf-8", "surrogateescape") == b"\xff\xfe"


def test_arguments_of_a_user_replace_the_defaults(tmp_path: Path) -> None:
    laid = lay(tmp_path, process("printf", "<%s>", args=("a b", "*")))
    assert laid.run("/cnb/process/web").stdout == b"<a b><*>"
    assert laid.run("/cnb/process/web", "it's", "$HOME").stdout == b"<it's><$HOME>"


def test_the_process_replaces_the_launcher_so_signals_reach_it(tmp_path: Path) -> None:
    laid = lay(tmp_path, process("sh", "-c", "echo $$; exit 7"))
    with subprocess.Popen([f"{tmp_path}/cnb/process/web"], stdout=subprocess.PIPE, env={"PATH": "/bin"}) as running:
        said, _ = running.communicate()
    assert laid.root == tmp_path
    assert (int(said), running.returncode) == (running.pid, 7)


def test_a_process_starts_in_the_apps_folder_or_its_own(tmp_path: Path) -> None:
    assert lay(tmp_path, process("pwd")).run("/cnb/process/web").stdout == f"{tmp_path}/workspace\n".encode()
    (tmp_path / "it's").mkdir()
    laid = lay(tmp_path, process("pwd", working_dir=f"{tmp_path}/it's"))
    assert laid.run("/cnb/process/web").stdout == f"{tmp_path}/it's\n".encode()
    assert lay(tmp_path, process("pwd", working_dir="nowhere")).run("/cnb/process/web").returncode == 82


def test_a_command_is_looked_up_on_the_path_of_the_layers(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/mine").write_text("#!/bin/sh\necho found\n")
    (tmp_path / "bin/mine").chmod(0o755)
    changes = [Change("PATH", Action.PREPEND, f"{tmp_path}/bin", ":")]
    assert lay(tmp_path, process("mine"), changes).run("/cnb/process/web").stdout == b"found\n"
    done = lay(tmp_path, process("nobody-has-this")).run("/cnb/process/web")
    assert done.returncode == 127
    assert b"nobody-has-this" in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--", "printf", "<%s>", "a b", "$A"], b"<a b><$A>"),
        (["echo", "$A"], b"set\n"),
        (['printf "<%s>" $A'], b"<set>"),
    ],
)
def test_any_command_runs_with_the_apps_environment(tmp_path: Path, args: list[str], said: bytes) -> None:
    laid = lay(tmp_path, process("true"), [Change("A", Action.OVERRIDE, "set")])
    assert laid.run("/cnb/lifecycle/launcher", *args).stdout == said


def test_the_launcher_alone_says_what_it_needs(tmp_path: Path) -> None:
    done = lay(tmp_path, process("true")).run("/cnb/lifecycle/launcher")
    assert done.returncode == 82
    assert b"say what to run" in done.stderr


def test_a_shell_process_sources_profiles_in_order_and_then_runs(tmp_path: Path) -> None:
    (tmp_path / "profile").mkdir()
    for number in ("1", "2"):
        (tmp_path / f"profile/{number}.sh").write_text(f"SEEN=${{SEEN}}{number}; export SEEN\n")
    profiles = [f"{tmp_path}/profile/{number}.sh" for number in ("1", "2")]
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace/.profile").write_text("export SEEN=${SEEN}app\n")
    laid = lay(tmp_path, process('echo "$SEEN" | cat', direct=False), profiles=profiles)
    assert laid.run("/cnb/process/web").stdout == b"12app\n"
    direct = lay(tmp_path, process("sh", "-c", 'echo "$SEEN"'), profiles=profiles)
    assert direct.run("/cnb/process/web").stdout == b"\n"


def test_words_of_an_old_shell_process_are_expanded_once(tmp_path: Path) -> None:
    laid = lay(tmp_path, process("echo", args=("$A", "two"), direct=False), [Change("A", Action.OVERRIDE, "a b")])
    assert laid.run("/cnb/process/web", "x" * 3, *"456789").stdout == b"a b two xxx 4 5 6 7 8 9\n"


def exec_d(root: Path, toml: str) -> str:
    program = root / "exec-d-program"
    (root / "output.toml").write_bytes(toml.encode())
    program.write_text(f"#!/bin/sh\necho on stdout\ncat '{root}/output.toml' >&3\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ('A = "x"\nB="y"\n', {"A": "x", "B": "y"}),
        ("A = 'it is $HOME \\n'", {"A": "it is $HOME \\n"}),
        (r'A = "q\"b\\s\tt\nn\u00e9\U0001F6A2"', {"A": 'q"b\\s\tt\nné🚢'}),
        ('# comment\n\n"A" = "x" # more\n', {"A": "x"}),
        ('A = """\nfirst\n  \'second\' \\\n   joined "quoted" """', {"A": "first\n  'second' joined \"quoted\" "}),
        ("A = '''\nraw \\n\n'''\nB = \"\"\r\n", {"A": "raw \\n\n", "B": ""}),
        ("", {}),
    ],
)
def test_what_exec_d_writes_on_descriptor_3_becomes_variables(
    tmp_path: Path, toml: str, expected: dict[str, str]
) -> None:
    laid = lay(tmp_path, process("sh", "-c", "exec env -0 >&2"), programs=[exec_d(tmp_path, toml)])
    done = laid.run("/cnb/process/web")
    assert done.returncode == 0
    assert done.stdout == b"on stdout\n"
    env = dict(each.split(b"=", 1) for each in done.stderr.split(b"\0") if each)
    assert {name: env.get(name.encode(), b"?").decode() for name in expected} == expected


@pytest.mark.parametrize(
    "toml", ["A = 1", "A", 'A = "x', "[table]", 'A = "x" y', "1A = 'x'", r'A = "\q"', "'; id' = 'x'"]
)
def test_exec_d_output_that_cannot_be_read_stops_the_start(tmp_path: Path, toml: str) -> None:
    done = lay(tmp_path, process("echo", "started"), programs=[exec_d(tmp_path, toml)]).run("/cnb/process/web")
    assert done.returncode == 82
    assert b"started" not in done.stdout


def test_a_failing_exec_d_stops_the_start(tmp_path: Path) -> None:
    done = lay(tmp_path, process("echo", "started"), programs=["/bin/false"]).run("/cnb/process/web")
    assert done.returncode == 82
    assert b"/bin/false failed" in done.stderr


@pytest.mark.parametrize(
    ("buildpacks", "line"),
    [
        (["wherry/apt", "wherry/nodejs"], "web: node build/index.js"),
        (["wherry/python"], "web: python app.py"),
        (["example/else"], "web: ./server"),
    ],
)
def test_an_app_that_says_nothing_to_run_is_told_the_line_in_its_own_language(buildpacks: list[str], line: str) -> None:
    with pytest.raises(BuildFailed, match="the build says nothing to run") as caught:
        with_default((), buildpacks)
    assert caught.value.hint.endswith(f"a line like this: {line}")
