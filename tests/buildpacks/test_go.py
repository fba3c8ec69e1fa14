"""The Go buildpack: what it decides, without a Go."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from wherry.builds.causes import cause_of
from wherry.domain.errors import BuildFailure
from wherry.settings import root_folder

HOME = root_folder() / "buildpacks/go"
_NAMES = {path.stem for path in (HOME / "lib").glob("*.py")}
HAVE = dict.fromkeys(("1.25.5", "1.25.4", "1.26.5", "1.26.6", "1.27.3"), "sha256:x")


class Lib:
    """The buildpack's modules by name, apart from everyone else's of the same names."""

    def __getattr__(self, name: str) -> ModuleType:
        return __import__(name)


@pytest.fixture(scope="module")
def lib() -> Iterator[Lib]:
    before = {name: sys.modules.pop(name) for name in _NAMES if name in sys.modules}
    sys.path.insert(0, str(HOME / "lib"))
    yield Lib()
    sys.path.remove(str(HOME / "lib"))
    for name in _NAMES:
        sys.modules.pop(name, None)
    sys.modules.update(before)


def refused(lib: Lib, what: Any, *args: Any) -> tuple[int, str]:
    with pytest.raises(lib.talk.Refusal) as caught:
        what(*args)
    return caught.value.code, "\n".join(caught.value.lines)


def test_detect_passes_for_a_go_mod(tmp_path: Path) -> None:
    argv = [str(HOME / "bin/detect"), "/platform", str(tmp_path / "plan.toml")]
    none = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (none.returncode, none.stdout) == (100, "looks for go.mod\n")
    (tmp_path / "go.mod").write_text("not a module")
    env = {"PATH": os.environ["PATH"], "CNB_BUILD_PLAN_PATH": str(tmp_path / "plan.toml")}
    assert subprocess.run(argv[:1], cwd=tmp_path, env=env, check=False).returncode == 0
    plan = tomllib.loads((tmp_path / "plan.toml").read_text())
    assert plan == {"provides": [{"name": "go"}], "requires": [{"name": "go"}]}


@pytest.mark.parametrize(
    ("mod", "env", "version", "why"),
    [
        ("", {}, "1.27.3", "go.mod has no go line: the newest there is"),
        ("go 1.26", {}, "1.26.6", "the newest patch of 1.26; the go line of go.mod says 1.26, or newer"),
        ("go 1.26.6 // ours", {}, "1.26.6", "as the go line of go.mod says"),
        ("go 1.25.9", {}, "1.27.3", "the newest there is; the go line of go.mod says 1.25.9, or newer"),
        ("go 1.13", {}, "1.27.3", "the newest there is; the go line of go.mod says 1.13, or newer"),
        ("go 1.27rc1", {}, "1.27.3", "the newest patch of 1.27; the go line of go.mod says 1.27, or newer"),
        ("go 1.21\n\ntoolchain go1.25.4", {}, "1.25.5", "the toolchain line of go.mod says 1.25.4, or newer"),
        ("go 1.26.0\ntoolchain default", {}, "1.26.6", "the newest patch of 1.26"),
        ("// +heroku goVersion go1.25\ngo 1.21", {}, "1.25.5", "as +heroku goVersion in go.mod asks"),
        ("go 1.25", {"GOVERSION": "go1.26.5"}, "1.26.5", "as GOVERSION asks"),
        ("go 1.25", {"GOVERSION": "go1.26", "BP_GO_VERSION": "1.27.x"}, "1.27.3", "as BP_GO_VERSION asks"),
    ],
)
def test_the_go_is_the_one_that_the_app_asks_for(
    lib: Lib, tmp_path: Path, mod: str, env: dict[str, str], version: str, why: str
) -> None:
    (tmp_path / "go.mod").write_text(f"module example.com/x\n\n{mod}\n")
    found = lib.versions.choose(lib.gomod.read(tmp_path), env, HAVE)
    assert found.version == version
    assert why in found.why


def test_go_works_lines_count_instead(lib: Lib, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/x/v2\ngo 1.25\n")
    (tmp_path / "go.work").write_text("go 1.26\nuse .\n")
    module = lib.gomod.read(tmp_path)
    assert (module.go, module.name) == ("1.26", "x")


@pytest.mark.parametrize(
    ("mod", "env", "code", "words"),
    [
        ("go 1.28", {}, 69, "Go 1.28 is not available here: have 1.27.3, 1.26.6, 1.25.5\nasked for by the go line"),
        ("go 1.27.9", {}, 69, "Go 1.27.9 is not available here: have 1.27.3, "),
        ("go 1.26", {"BP_GO_VERSION": "1.26.1"}, 69, "Go 1.26.1 is not available here: have "),
        ("go 1.26", {"GOVERSION": "1.26;id"}, 65, "GOVERSION does not name a version of Go: '1.26;id'"),
        ("go one", {}, 65, "the go line of go.mod does not name a version of Go: 'one'"),
        ("toolchain gone", {}, 65, "the toolchain line of go.mod does not name a version of Go: 'gone'"),
    ],
)
def test_a_go_that_is_not_there_is_refused_and_never_another_one(
    lib: Lib, tmp_path: Path, mod: str, env: dict[str, str], code: int, words: str
) -> None:
    (tmp_path / "go.mod").write_text(mod + "\n")
    found, said = refused(lib, lib.versions.choose, lib.gomod.read(tmp_path), env, HAVE)
    assert found == code
    assert said.startswith(words)


def test_the_lock_has_every_go_for_both_kinds_of_machine(lib: Lib) -> None:
    have = lib.versions.known("x86_64")
    assert have.keys() == lib.versions.known("aarch64").keys()
    assert len(have) > 10
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in have.values())
    assert lib.versions.known("riscv64") == {}


def test_targets_are_those_that_are_named_first(lib: Lib) -> None:
    module = lib.gomod.Module(install="./cmd/... ./tools/x")
    assert lib.programs.targets(module, {})[0] == ["./cmd/...", "./tools/x"]
    assert lib.programs.targets(module, {"GO_INSTALL_PACKAGE_SPEC": "."})[0] == ["."]
    assert lib.programs.targets(module, {"BP_GO_TARGETS": "./a:./b, ./c"})[0] == ["./a", "./b", "./c"]
    assert lib.programs.targets(lib.gomod.Module(), {})[0] == ["./..."]


@pytest.mark.parametrize("text", ["-toolexec=id", "./a $(id)", "/etc", "a\\b"])
def test_t05_a_target_that_is_no_package_is_refused(lib: Lib, text: str) -> None:
    code, said = refused(lib, lib.programs.targets, lib.gomod.Module(), {"BP_GO_TARGETS": text})
    assert code == 65
    assert "which BP_GO_TARGETS names, is not a package" in said


@pytest.mark.parametrize(
    ("names", "web"),
    [
        (["x"], "x"),
        (["shop", "worker"], "shop"),
        (["server", "shop"], "server"),
        (["a", "web"], "web"),
        (["a", "b"], ""),
    ],
)
def test_the_web_process_is_the_obvious_program(lib: Lib, names: list[str], web: str) -> None:
    assert lib.launch.web(lib.gomod.Module(path="example.com/shop/v3"), names) == web


def test_programs_are_found_below_bin_and_the_apps_own_files_stay(lib: Lib, tmp_path: Path) -> None:
    app, layers = tmp_path / "app", tmp_path / "layers"
    (app / "bin").mkdir(parents=True)
    (layers / "programs/bin").mkdir(parents=True)
    (app / "bin/worker").write_text("ours")
    (app / "Procfile").write_text("web: bin/web\n")
    lib.launch.write(app, layers, lib.gomod.Module(), ["web", "worker"])
    assert (app / "bin/web").readlink() == layers / "programs/bin/web"
    assert (app / "bin/worker").read_text() == "ours"
    assert not (layers / "launch.toml").exists()


FAILURES = [
    ('go: example.com/x@v1.0.0: Get "https://p/x": dial tcp: lookup p: no such host', 75, "proxy cannot be reached"),
    ("go: example.com/x@v1.9.9: reading https://p/x: 404 Not Found", 65, "cannot be found"),
    ("main.go:4:2: missing go.sum entry for module providing package x", 65, "go.sum lacks"),
    ("go: inconsistent vendoring in /workspace:\n\tx@v1: is explicitly required", 65, "vendor/ does not match go.mod"),
    ("go: errors parsing go.mod:\n/workspace/go.mod:3: unknown directive: gone", 65, "go.mod cannot be read"),
    ("go: updates to go.mod needed; to update it:\n\tgo mod tidy", 65, "go.mod is not up to date"),
    ("go: x@v2 requires go >= 1.99 (running go 1.26.6; GOTOOLCHAIN=local)", 69, "a newer Go is needed"),
    ("main.go:5:2: package nothing is not in std (/x/src/nothing)", 65, "imports a package that no module"),
]


@pytest.mark.parametrize(("said", "code", "cause"), FAILURES)
def test_a_failure_is_told_by_its_cause(lib: Lib, said: str, code: int, cause: str) -> None:
    refusal = lib.failures.refusal(["go: downloading example.com/y v1.0.0", *said.split("\n")])
    assert (refusal.code, cause in refusal.lines[0]) == (code, True), refusal.lines
    assert refusal.lines[1] == said.split("\n")[0].strip()
    assert refusal.lines[-2] == ""


def test_a_compile_error_shows_file_and_line_and_the_platform_knows_it(lib: Lib) -> None:
    said = ["# example.com/broken", "./main.go:7:14: undefined: greting", "./main.go:9:1: bad:", "\thave (int)"]
    refusal = lib.failures.refusal(said)
    assert refusal.code == 1
    assert refusal.lines[:4] == ["the app does not compile", *said[1:]]
    cause = cause_of(said)
    assert cause
    assert cause.kind is BuildFailure.COMPILE_ERROR
