"""The Rust buildpack: what it decides, without a Rust."""

from __future__ import annotations

import json
import os
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

HOME = root_folder() / "buildpacks/rust"
_NAMES = {path.stem for path in (HOME / "lib").glob("*.py")}


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


def packages(plan: str) -> list[Any]:
    return [each["metadata"] for each in tomllib.loads(plan)["requires"] if each["name"] == "apt"]


def test_detect_passes_for_a_cargo_toml_and_asks_for_debians_rust(tmp_path: Path) -> None:
    argv = [str(HOME / "bin/detect"), "/platform", str(tmp_path / "plan.toml")]
    env = {"PATH": "/usr/bin:/bin", "CNB_TARGET_DISTRO_NAME": "debian", "CNB_TARGET_DISTRO_VERSION": "12"}
    none = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (none.returncode, none.stdout) == (100, "looks for Cargo.toml\n")
    (tmp_path / "Cargo.toml").write_text("not TOML")
    assert subprocess.run(argv, cwd=tmp_path, env=env, check=False).returncode == 0
    assert tomllib.loads((tmp_path / "plan.toml").read_text())["provides"] == [{"name": "rust"}]


def test_the_plan_asks_for_what_crates_are_built_with(lib: Lib, tmp_path: Path) -> None:
    (tmp_path / "Cargo.lock").write_text('[[package]]\nname = "mysqlclient-sys"\nversion = "0.4.1"\n')
    assert packages(lib.detect.plan_of(tmp_path, {"CNB_TARGET_DISTRO_VERSION": "12"}, installed=False)) == [
        {"packages": ["rustc-web", "cargo-web"]},
        {"packages": ["default-libmysqlclient-dev"]},
        {"packages": ["libmariadb3"], "launch": True},
    ]
    (tmp_path / "Cargo.lock").unlink()
    newer = {"CNB_TARGET_DISTRO_NAME": "debian", "CNB_TARGET_DISTRO_VERSION": "13"}
    assert packages(lib.detect.plan_of(tmp_path, newer, installed=False)) == [{"packages": ["rustc", "cargo"]}]
    assert packages(lib.detect.plan_of(tmp_path, newer, installed=True)) == []


@pytest.mark.parametrize(
    ("files", "env", "channel", "source"),
    [
        ({}, {}, "", ""),
        (
            {"rust-toolchain.toml": '[toolchain]\nchannel = "1.96"\nprofile = "minimal"\n'},
            {},
            "1.96",
            "rust-toolchain.toml",
        ),
        ({"rust-toolchain.toml": '[toolchain]\ncomponents = ["clippy"]\n'}, {}, "", ""),
        ({"rust-toolchain": "1.96.0\n", "rust-toolchain.toml": "x"}, {}, "1.96.0", "rust-toolchain"),
        ({"rust-toolchain": '[toolchain]\nchannel = "stable"\n'}, {}, "stable", "rust-toolchain"),
        ({"rust-toolchain": "nightly-2026-01-01"}, {"BP_RUST_VERSION": "1.96"}, "1.96", "BP_RUST_VERSION"),
        ({"rust-toolchain": "1.96.0-x86_64-unknown-linux-gnu"}, {}, "1.96.0", "rust-toolchain"),
    ],
)
def test_the_rust_is_the_one_that_the_app_asks_for(
    lib: Lib, tmp_path: Path, files: dict[str, str], env: dict[str, str], channel: str, source: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    found = lib.versions.wanted(tmp_path, env)
    assert (found.channel, found.source) == (channel, source)
    lib.versions.check(found, {}, "1.96.0")


@pytest.mark.parametrize("channel", ["1.95", "1.96.1", "1.9", "beta", "nightly", "nightly-2026-01-01"])
def test_a_rust_that_is_not_there_is_refused_and_never_another_one(lib: Lib, tmp_path: Path, channel: str) -> None:
    (tmp_path / "rust-toolchain").write_text(channel)
    asked = lib.versions.wanted(tmp_path, {})
    code, said = refused(lib, lib.versions.check, asked, {}, "1.96.0")
    assert code == 69
    assert said.startswith(f"Rust {channel} is not available here: have 1.96.0\nasked for by rust-toolchain\n\n")


def test_rust_version_is_the_oldest_that_will_do(lib: Lib) -> None:
    any_rust = lib.versions.Wanted()
    why = lib.versions.check(any_rust, {"a": "1.70", "b": "1.85.1"}, "1.96.0")
    assert why == "no older than 1.85.1, as rust-version in Cargo.toml asks"
    code, said = refused(lib, lib.versions.check, any_rust, {"a": "1.70", "b": "1.97"}, "1.96.0")
    assert code == 69
    assert said.startswith(
        "Rust 1.97 is not available here: have 1.96.0\nasked for by rust-version in Cargo.toml of b\n"
    )


@pytest.mark.parametrize("text", ["-x", "1.96;id", "/opt/rust", "one"])
def test_t05_a_version_that_is_none_is_refused(lib: Lib, tmp_path: Path, text: str) -> None:
    code, said = refused(lib, lib.versions.wanted, tmp_path, {"BP_RUST_VERSION": text})
    assert (code, said.split("\n")[0]) == (65, f"BP_RUST_VERSION does not name a Rust: {text!r}")


def test_own_files_count_as_changed_and_vendored_crates_do_not(lib: Lib, tmp_path: Path) -> None:
    for name in ("src/main.rs", "vendor/fnv/.cargo-checksum.json", "vendor/fnv/src/lib.rs", ".git/index"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (1_000_000_000, 1_000_000_000))
    (tmp_path / "link").symlink_to("/etc/hostname")
    before = Path("/etc/hostname").stat().st_mtime
    lib.times.settle(tmp_path)
    times = {
        name: int((tmp_path / name).stat().st_mtime) for name in ("src/main.rs", "vendor/fnv/src/lib.rs", ".git/index")
    }
    assert times["src/main.rs"] > 1_700_000_000
    assert times["vendor/fnv/src/lib.rs"] == 315532801
    assert times[".git/index"] == 1_000_000_000
    assert Path("/etc/hostname").stat().st_mtime == before


def metadata(*programs: str, folder: str = "/workspace", **more: Any) -> str:
    targets = [{"name": name, "kind": ["bin"]} for name in programs] + [{"name": "shop", "kind": ["lib"]}]
    return json.dumps(
        {"packages": [{"name": "shop", "manifest_path": f"{folder}/Cargo.toml", "targets": targets, **more}]}
    )


@pytest.mark.parametrize(
    ("programs", "more", "web"),
    [
        (["x"], {}, "x"),
        (["shop", "worker"], {}, "shop"),
        (["shop", "web"], {}, "web"),
        (["shop", "web", "api"], {"default_run": "api"}, "api"),
        (["a", "b"], {}, ""),
    ],
)
def test_the_web_process_is_the_obvious_program(lib: Lib, programs: list[str], more: dict[str, str], web: str) -> None:
    space = lib.workspace.read(metadata(*programs, **more), "/workspace")
    assert lib.workspace.web(space, programs) == web


def test_rocket_is_told_its_port_in_its_own_words(lib: Lib, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for needs, command in (
        ([{"name": "rocket"}], ["bash", "-c", "ROCKET_ADDRESS=0.0.0.0 ROCKET_PORT=$PORT exec shop"]),
        ([{"name": "axum"}], ["shop"]),
    ):
        space = lib.workspace.read(metadata("shop", dependencies=needs), "/workspace")
        lib.launch.write(tmp_path, tmp_path, space, ["shop"])
        assert tomllib.loads((tmp_path / "launch.toml").read_text())["processes"][0]["command"] == command
    assert "the web process is ROCKET_ADDRESS=0.0.0.0 ROCKET_PORT=$PORT shop\n" in capsys.readouterr().out


def test_binaries_that_are_not_there_are_refused(lib: Lib) -> None:
    space = lib.workspace.read(metadata("web", "worker"), "/workspace")
    assert lib.workspace.wanted(space, {}) == []
    assert lib.workspace.wanted(space, {"BP_RUST_BINARIES": "worker, web"}) == ["worker", "web"]
    for wrong in ("gone", "--config=x", "web\x00"):
        code, said = refused(lib, lib.workspace.wanted, space, {"BP_RUST_BINARIES": wrong})
        assert (code, "have web, worker" in said) == (65, True)
    code, said = refused(lib, lib.workspace.wanted, lib.workspace.read(metadata(), "/workspace"), {})
    assert (code, said.split("\n")[0]) == (65, "there is no program in this app, only libraries")
    code, said = refused(lib, lib.workspace.wanted, lib.workspace.read(metadata("a", "a"), "/workspace"), {})
    assert (code, said.split("\n")[0]) == (65, "two packages have programs of the same name, a")


FAILURES = [
    ("error: cannot update the lock file /workspace/Cargo.lock because --locked was passed", 65, "Cargo.lock does not"),
    (
        "error: failed to get `fnv` as a dependency\n  [6] Could not resolve hostname",
        75,
        "registry of crates cannot be",
    ),
    ("error: no matching package named `gone` found", 65, "cannot be found"),
    ('error: failed to select a version for the requirement `fnv = "^99"`', 65, "cannot be found"),
    ("error: failed to select a version for `libsqlite3-sys`.", 1, "contradict each other"),
    (
        "error: rustc 1.96.0 is not supported by the following packages:\n  x@1.0 requires rustc 1.99",
        69,
        "a newer Rust",
    ),
    ("error: failed to parse manifest at `/workspace/Cargo.toml`\n\nCaused by:\n  no targets", 65, "Cargo.toml cannot"),
    (
        "error: failed to run custom build command for `x-sys v1.0.0`\n  Could not resolve host",
        1,
        "the build script of a crate failed",
    ),
    ("error: unclosed table, expected `]`\n --> Cargo.toml:8:14", 65, "Cargo.toml cannot be read"),
    ("error: linking with `cc` failed: exit status: 1", 1, "could not be linked"),
    ("error: failed to get `x`\n  invalid version 0 on git_proxy_options; class=Invalid (3)", 69, "crates from Git"),
    ("error: checksum for `fnv v1.0.7` changed between lock files", 65, "is not the one that Cargo.lock names"),
]


@pytest.mark.parametrize(("said", "code", "cause"), FAILURES)
def test_a_failure_is_told_by_its_cause(lib: Lib, said: str, code: int, cause: str) -> None:
    refusal = lib.failures.refusal(["    Updating crates.io index", *said.split("\n")])
    assert (refusal.code, cause in refusal.lines[0]) == (code, True), refusal.lines
    assert refusal.lines[1] == said.split("\n")[0].removeprefix("error: ")
    assert refusal.lines[-2] == ""


def test_a_build_script_that_fails_shows_what_it_wrote_to_stderr(lib: Lib) -> None:
    said = ["error: failed to run custom build command for `x-sys v1.0.0`", "Caused by:", "  --- stdout", "  cargo:x=1"]
    lines = lib.failures.refusal([*said, "  --- stderr", "  no libfoo here", "warning: build failed, waiting"]).lines
    assert lines[1:3] == ["failed to run custom build command for `x-sys v1.0.0`", "  no libfoo here"]


def test_crates_from_git_are_checked_out_where_cargo_looks_for_them(lib: Lib, tmp_path: Path) -> None:
    crates, app = tmp_path / "crates", tmp_path / "app"
    database = crates / "git/db/dep-0123"
    for folder in (app, database):
        folder.mkdir(parents=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["init", "-q"], [*who, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *words], cwd=database, env=env, check=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=database, env=env, capture_output=True, text=True, check=True
    )
    revision = head.stdout.strip()
    (app / "Cargo.lock").write_text(f'source = "git+https://git.example/dep?branch=main#{revision}"\n')
    assert lib.checkouts.missing(crates, app) == [revision]
    assert lib.checkouts.lay(crates, [revision, "0" * 40], env) == 1
    assert (crates / "git/checkouts/dep-0123" / revision[:7] / ".cargo-ok").is_file()
    assert lib.checkouts.missing(crates, app) == []
    assert lib.checkouts.lay(crates, [revision], env) == 0


def test_a_compile_error_shows_file_and_line_and_the_platform_knows_it(lib: Lib) -> None:
    said = [
        "warning: unused variable: `x`",
        " --> src/main.rs:2:9",
        "error[E0425]: cannot find value `greting` in this scope",
        " --> src/main.rs:3:20",
        "  |",
        "3 |     greting();",
        'error: could not compile `broken` (bin "broken") due to 1 previous error; 1 warning emitted',
    ]
    refusal = lib.failures.refusal(said)
    assert refusal.code == 1
    assert refusal.lines[:4] == ["broken does not compile", said[2], said[3], said[5]]
    assert "src/main.rs:2:9" not in "\n".join(refusal.lines)
    cause = cause_of(said)
    assert cause
    assert cause.kind is BuildFailure.COMPILE_ERROR
