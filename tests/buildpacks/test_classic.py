"""The buildpack for Heroku's classic ones, its scripts really run. (A real build is in tests/builds/test_real_classic.)"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from wherry.settings import root_folder

HOME = root_folder() / "buildpacks/classic"
SAMPLES = root_folder() / "tests/apps"
CLEAN = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


class Yard:
    def __init__(self, folder: Path, sample: str) -> None:
        self.app = Path(shutil.copytree(SAMPLES / sample, folder / "app"))
        self.layers, self.platform = folder / "layers", folder / "platform"
        self.layers.mkdir()
        (self.platform / "env").mkdir(parents=True)

    def config(self, **values: str) -> None:
        for name, value in values.items():
            (self.platform / "env" / name).write_text(value)

    def run(self, program: str, *arguments: Path) -> tuple[int, str]:
        argv = [str(HOME / "bin" / program), *map(str, arguments)]
        done = subprocess.run(argv, cwd=self.app, env=CLEAN, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def detect(self) -> int:
        return self.run("detect", self.platform, self.layers / "plan.toml")[0]

    def build(self) -> tuple[int, str]:
        return self.run("build", self.layers, self.platform, self.layers / "plan.toml")

    def launch(self) -> dict[str, object]:
        return tomllib.loads((self.layers / "launch.toml").read_text())


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path, "classic-tiny")


def test_detect_passes_only_when_the_config_names_a_folder(yard: Yard) -> None:
    assert yard.detect() == 100
    yard.config(BP_CLASSIC_BUILDPACK="")
    assert yard.detect() == 100
    yard.config(BP_CLASSIC_BUILDPACK="anything")
    assert yard.detect() == 0


def test_compile_release_export_and_profile_become_layers_and_processes(yard: Yard) -> None:
    yard.config(BP_CLASSIC_BUILDPACK="./.buildpack/", SHOUT="loud")
    code, said = yard.build()
    assert code == 0, said
    assert said.startswith("-----> Classic buildpack .buildpack: Tiny\n-----> Tiny was built 0 times before\n")
    assert "SHOUT is loud, exported not" in said
    assert "No Procfile: its process types are web, worker" in said
    assert yard.launch()["processes"] == [
        {"type": "web", "command": ["bash", "-c", "tiny-server"], "default": True},
        {"type": "worker", "command": ["bash", "-c", 'echo "never asked for"']},
    ]
    assert (yard.layers / "profile/env.launch/GREETING.default").read_text() == "Hello from a classic buildpack"
    assert (yard.layers / "export/env.build/TINY_BUILD.override").read_text() == "yes"
    assert sorted(each.name for each in (yard.layers / "export/env.build").iterdir()) == ["TINY_BUILD.override"]
    assert "was built 1 times before" in yard.build()[1]


def test_profile_scripts_run_in_the_apps_folder_and_hand_on_what_they_change(yard: Yard, tmp_path: Path) -> None:
    yard.config(BP_CLASSIC_BUILDPACK=".buildpack")
    assert yard.build()[0] == 0
    (yard.app / ".profile").write_text('echo heard; local_only=1; export TAB="a\tb\\\\" EQUAL=a=b=c\n')
    shell = 'exec 3>"$0"; exec "$1"'
    argv = ["bash", "-c", shell, str(tmp_path / "out.toml"), str(yard.layers / "profile/exec.d/profile")]
    done = subprocess.run(argv, cwd=yard.app, env=CLEAN | {"KEPT": "x"}, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "heard\n")
    assert tomllib.loads((tmp_path / "out.toml").read_text()) == {
        "EQUAL": "a=b=c",
        "HOME": str(yard.app),
        "PATH": f"{yard.app}/.tiny/bin:{CLEAN['PATH']}",
        "TAB": "a\tb\\",
        "TINY_HOME": str(yard.app),
        "TINY_WORDS": 'two\nlines "quoted"',
    }


@pytest.mark.parametrize(
    ("setting", "cause"),
    [
        (".nothing", "there is no classic buildpack in .nothing"),
        ("../elsewhere", "BP_CLASSIC_BUILDPACK is not a folder of the app: ../elsewhere"),
        ("/usr", "BP_CLASSIC_BUILDPACK is not a folder of the app: /usr"),
    ],
)
def test_t05_a_folder_that_is_none_of_the_app_is_refused(yard: Yard, setting: str, cause: str) -> None:
    yard.config(BP_CLASSIC_BUILDPACK=setting)
    code, said = yard.build()
    assert (code, said.splitlines()[0]) == (65, f" !     {cause}")
    assert "wherry config:set BP_CLASSIC_BUILDPACK=.buildpack" in said.splitlines()[-1]


def test_a_buildpack_that_does_not_take_the_app_or_fails_says_so(yard: Yard) -> None:
    yard.config(BP_CLASSIC_BUILDPACK=".buildpack")
    (yard.app / ".buildpack/bin/compile").write_text("#!/bin/sh\necho ' !     no tiny today' >&2\nexit 4\n")
    code, said = yard.build()
    assert (code, said.splitlines()[1]) == (1, " !     no tiny today")
    assert "the classic buildpack .buildpack failed: bin/compile ended with exit code 4" in said
    (yard.app / "tiny.txt").unlink()
    code, said = yard.build()
    assert (code, said) == (
        65,
        " !     the classic buildpack .buildpack does not take this app: bin/detect ended with 1\n",
    )


def test_a_stack_is_named_only_when_the_app_names_one(yard: Yard) -> None:
    yard.config(BP_CLASSIC_BUILDPACK=".buildpack")
    (yard.app / ".buildpack/bin/compile").write_text('#!/bin/sh\necho "<${STACK-none}>"\n')
    assert "<none>" in yard.build()[1]
    yard.config(BP_CLASSIC_STACK="heroku-22")
    assert "<heroku-22>" in yard.build()[1]


def test_why_compile_failed_is_told_from_its_words(yard: Yard) -> None:
    yard.config(BP_CLASSIC_BUILDPACK=".buildpack")
    for script, code, told in (
        ('set -u\necho "$STACK"', 65, "wherry config:set BP_CLASSIC_STACK=heroku-22"),
        ("echo ' !  Stack heroku-99 is not supported' && exit 1", 65, "wherry config:set BP_CLASSIC_STACK=NAME"),
        ("echo 'curl: (6) Could not resolve host: a.example' >&2; exit 6", 75, "Is it reachable from builds?"),
        ("echo Could not resolve host; echo else; exit 0", 0, ""),
    ):
        (yard.app / ".buildpack/bin/compile").write_text(f"#!/bin/bash\n{script}\n")
        found, said = yard.build()
        assert (found, told in said.splitlines()[-1]) == (code, True), said


def test_a_procfile_that_compile_makes_counts_as_on_heroku(yard: Yard) -> None:
    yard.config(BP_CLASSIC_BUILDPACK=".buildpack")
    (yard.app / "Procfile").unlink(missing_ok=True)
    release = yard.app / ".buildpack/bin/release"
    release.write_text("#!/bin/sh\nprintf 'default_process_types:\\n  web: other\\n  clock: tick\\n'\n")
    compile_ = yard.app / ".buildpack/bin/compile"
    compile_.write_text("#!/bin/sh\nprintf '# mine\\nweb: serve $PORT\\nworker:work\\n' > \"$1/Procfile\"\n")
    assert yard.build()[0] == 0
    commands = {each["type"]: each["command"][-1] for each in yard.launch()["processes"]}  # type: ignore[attr-defined]
    assert commands == {"web": "serve $PORT", "clock": "tick", "worker": "work"}


def read(text: str) -> object:
    script = "import sys; sys.path.insert(0, sys.argv[1]); import release_yaml as r\ntry: print(r.read(sys.argv[2]))\n"
    script += "except r.Fault as fault: print('!', fault)"
    argv = [sys.executable, "-B", "-I", "-c", script, str(HOME / "lib"), text]
    done = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    return done if done.startswith("!") else eval(done)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("--- {}\n", {}),
        ("---\r\naddons: []\r\nconfig_vars: {}\r\n", {"addons": {}, "config_vars": {}}),
        ("addons:\n  - a:b\n  - 'c'\n", {"addons": ["a:b", "c"]}),
        ("addons:\n- a\n", {"addons": ["a"]}),
        ("t:\n  web: run $PORT -x 'a: b' # why\n", {"t": {"web": "run $PORT -x 'a: b'"}}),
        ('t:\n  "a": "x\\n\\u00e9 # \\"y\\""\n  b: \'it\'\'s\'\n', {"t": {"a": 'x\né # "y"', "b": "it's"}}),
        ("t:\n  url: http://x/#y\n  empty:\n", {"t": {"url": "http://x/#y", "empty": ""}}),
        ("t:\n  web: |\n    x\n", "! line 2: | begins what is not read here: write a text on one line"),
        ("t: {web: x}\n", "! line 1: t is no table"),
        ("t:\n  web: *a\n", "! line 2: * begins what is not read here: write a text on one line"),
        ("t:\n  web: x\n  web: y\n", "! line 3: web stands twice"),
        ("t:\n\tweb: x\n", "! line 2: a tab before the text"),
        ("  web: x\n", "! line 1: it belongs to no table"),
        ("t:\n  - a\n  b: c\n", "! line 3: a table in a list"),
        ("t:\n  a: b\n  - c\n", "! line 3: a list in a table"),
        ("Just words\n", "! line 1: no NAME: VALUE in 'Just words'"),
        ('t:\n  a: "b\n', "! line 2: a text in quotes that does not end, or with an escape that is not known"),
    ],
)
def test_what_release_prints_is_read_as_yaml_or_refused_with_its_line(text: str, expected: object) -> None:
    assert read(text) == expected
