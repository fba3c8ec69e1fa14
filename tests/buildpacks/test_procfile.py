"""The Procfile buildpack, its programs really run; its grammar is the platform's own (wherry.domain.procfile)."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from wherry.domain import procfile
from wherry.domain.errors import InvalidInput
from wherry.settings import root_folder

HOME = root_folder() / "buildpacks/procfile"


class App:
    def __init__(self, folder: Path) -> None:
        self.app, self.layers = folder / "app", folder / "layers"
        for each in (self.app, self.layers):
            each.mkdir(exist_ok=True)

    def write(self, content: bytes) -> App:
        (self.app / "Procfile").write_bytes(content)
        return self

    def run(self, program: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        given = {"PATH": os.environ["PATH"], **env}
        argv = [str(HOME / "bin" / program), *args]
        return subprocess.run(argv, cwd=self.app, env=given, capture_output=True, text=True, check=False)

    def build(self) -> subprocess.CompletedProcess[str]:
        return self.run("build", str(self.layers), "/platform", "/plan")

    @property
    def processes(self) -> dict[str, list[str]]:
        launch = tomllib.loads((self.layers / "launch.toml").read_text())
        return {each["type"]: each["command"] for each in launch.get("processes", [])}


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path)


def test_lines_become_processes_of_a_shell_and_web_is_the_default(app: App) -> None:
    done = app.write(b'worker: echo "a" \\\nweb: gunicorn app:app --bind 0.0.0.0:$PORT && true\n').build()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert app.processes == {
        "worker": ["bash", "-c", 'echo "a" \\'],
        "web": ["bash", "-c", "gunicorn app:app --bind 0.0.0.0:$PORT && true"],
    }
    launch = tomllib.loads((app.layers / "launch.toml").read_text())
    assert [each.get("default", False) for each in launch["processes"]] == [False, True]


def test_a_variable_will_do_where_no_argument_is(app: App) -> None:
    assert app.write(b"web: x\n").run("build", CNB_LAYERS_DIR=str(app.layers)).returncode == 0
    assert list(app.processes) == ["web"]


def test_detect_passes_for_anything_named_procfile(app: App) -> None:
    done = app.run("detect", "/platform", "/plan")
    assert (done.returncode, done.stdout) == (100, "looks for a Procfile: TYPE: COMMAND a line\n")
    (app.app / "Procfile").symlink_to("/nowhere")
    assert app.run("detect", "/platform", "/plan").returncode == 0


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "long", "nul", "utf-16"])
def test_b13_what_is_no_regular_text_file_is_refused_and_never_followed(app: App, tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret").write_text("secret: secret\n")
    path = app.app / "Procfile"
    match kind:
        case "link":
            path.symlink_to(tmp_path / "secret")
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "long":
            path.write_bytes(b"# " + b"x" * (64 * 1024))
        case "nul":
            path.write_bytes(b"web: a\0b\n")
        case "utf-16":
            path.write_bytes("web: a\n".encode("utf-16"))
    done = app.build()
    assert done.returncode == 65
    assert done.stdout.startswith(" !     Procfile is not ")
    assert "secret" not in done.stdout + done.stderr
    assert done.stderr == ""
    assert not (app.layers / "launch.toml").exists()


def test_b12_every_bad_line_is_named_with_its_number(app: App) -> None:
    done = app.write(b"web\n: cmd\nweb: a\nweb: b\nWeb_1!: x\n\x1b]0;x: y\nempty:\n").build()
    assert done.returncode == 65
    assert done.stdout.split("\n")[:8] == [
        " !     Procfile cannot be read",
        " !     Procfile:1: no colon in 'web'",
        " !     Procfile:2: '' is not a process type (lower-case letters, digits and dashes)",
        " !     Procfile:4: 'web' stands twice",
        " !     Procfile:5: 'Web_1!' is not a process type (lower-case letters, digits and dashes)",
        " !     Procfile:6: '\\x1b]0;x' is not a process type (lower-case letters, digits and dashes)",
        " !     Procfile:7: 'empty' has no command",
        " !     ",
    ]


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["web: run", "web:", "# x", "", "worker :  a  b ", "a-b: x", "-a: x", "Web: x", "web", "a:b:c"]
        ),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        st.text(max_size=20).map(lambda text: f"w: {text}"),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, st.sampled_from(["\n", "\r\n"]), st.sampled_from([b"", b"\xef\xbb\xbf"]))
@example(["a: x\x7f\x85\u2028\U0001f6a2\"'\\"], "\n", b"")
@example([f"t{number}: x" for number in range(101)], "\n", b"")
@example(["long: " + "x" * 40_000], "\n", b"")
def test_b11_b12_its_grammar_is_the_platforms_own(tmp_path: Path, lines: list[str], end: str, mark: bytes) -> None:
    content = mark + end.join(lines).encode("utf-8", "surrogatepass")
    app = App(tmp_path).write(content)
    (app.layers / "launch.toml").unlink(missing_ok=True)
    done = app.build()
    expected = judged(content)
    if isinstance(expected, str):
        assert done.returncode == 65
        assert done.stdout.split("\n")[0] == f" !     {expected}"
    else:
        assert done.returncode == 0, done.stdout + done.stderr
        assert app.processes == {name: ["bash", "-c", command] for name, command in expected.items()}


def judged(content: bytes) -> dict[str, str] | str:
    """What the platform's own reader says: processes, or why not."""
    try:
        return procfile.parse(content)
    except InvalidInput as error:
        return error.message
