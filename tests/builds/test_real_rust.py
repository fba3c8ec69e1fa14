"""The Rust samples, built for real: Rust of Debian, crates of the registry, the image run as an app is."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailure

from tests.builds.real_world import copy, failure, replaced
from tests.builds.yard import Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests here: they build the same app, so that Rust is fetched for the first of them."""
    return tmp_path_factory.mktemp("home")


def test_rust_hello_is_built_without_rust_in_the_image_and_a_code_change_compiles_that_only(
    yard: Yard, sample: Path
) -> None:
    copy("rust-hello", sample)
    first = yard.build(sample)
    assert any("Debian packages: cargo-web rustc-web" in line for line in yard.said), yard.said
    assert any("Compiling tiny_http v0.12" in line for line in yard.said), yard.said
    assert first.processes["web"] == "hello"
    with yard.running(first) as app:
        assert "Hello from tiny_http" in app.ask()
        assert "A file of the app." in app.ask("/file")
        code, seconds = app.stop()
        assert (code, seconds < 5) == (0, True), app.logs()

    main = sample / "src/main.rs"
    main.write_text(main.read_text().replace("Hello from tiny_http", "Changed, by tiny_http"))
    os.utime(main, (1_000_000_000, 1_000_000_000))
    began = time.monotonic()
    second = yard.build(sample, previous=first)
    print("code-only rebuild", time.monotonic() - began)
    assert yard.bill(second).keys() >= {"rust-std", "tiny_http"}
    compiled = [line.split()[1] for line in yard.said if "Compiling" in line]
    assert compiled == ["hello"], yard.said
    assert not any("Debian packages" in line or "Download" in line for line in yard.said), yard.said
    with yard.running(second) as app:
        assert "Changed, by tiny_http" in app.ask()

    third = yard.build(sample, previous=second)
    assert third == second
    assert not any("Added layer" in line for line in yard.said), yard.said


def test_a_workspace_with_vendored_crates_is_built_without_the_network(yard: Yard, sample: Path) -> None:
    copy("rust-workspace", sample)
    offline = {"https_proxy": "http://127.0.0.1:9", "CARGO_HTTP_PROXY": "http://127.0.0.1:9", "CARGO_NET_RETRY": "0"}
    image = yard.build(sample, app_id=1, **offline)
    assert any("Compiling fnv v1.0.7" in line for line in yard.said), yard.said
    assert image.processes["web"] == "web"
    with yard.running(image) as app:
        assert "Hello from vendor/" in app.ask()
    (sample / "Procfile").write_text("web: target/release/greet && exec web\n")
    image = yard.build(sample, previous=image, **offline)
    assert not any("Compiling fnv" in line for line in yard.said), yard.said
    with yard.running(image) as app:
        assert "Hello from vendor/" in app.ask()
        assert "From a command: Hello from vendor/" in app.logs()
    only = yard.build(sample, previous=image, BP_RUST_BINARIES="web", **offline)
    assert any("Building web" in line for line in yard.said), yard.said
    with yard.running(only) as app:
        assert app.stop()[0] == 127, app.logs()


BROKEN = [
    ("rust-no-such-toolchain", BuildFailure.VERSION_NOT_AVAILABLE, ["Rust 1.99.0 is not available here: have 1."]),
    (
        "rust-compile-error",
        BuildFailure.COMPILE_ERROR,
        ["broken does not compile", "cannot find value `greting`", "--> src/main.rs:3:20", "cargo build --release"],
    ),
    (
        "rust-lock-out-of-step",
        BuildFailure.BAD_SOURCE,
        ["Cargo.lock does not match Cargo.toml", "cargo update --workspace && git add Cargo.lock"],
    ),
]


def test_a_broken_app_says_why_the_cause_first(yard: Yard, sample: Path) -> None:
    for name, kind, words in BROKEN:
        found, said = failure(yard, replaced(name, sample))
        assert (found, [word for word in words if word not in said]) == (kind, []), said
        assert said.startswith(words[0]), said


def test_a_registry_that_is_not_there_is_the_network(yard: Yard, sample: Path) -> None:
    replaced("rust-lock-out-of-step", sample)
    (sample / "Cargo.lock").unlink()
    mirror = {"BP_RUST_CRATES_MIRROR": "sparse+http://127.0.0.1:9/", "CARGO_NET_RETRY": "0"}
    kind, said = failure(yard, sample, **mirror)
    assert kind is BuildFailure.NETWORK
    assert said.startswith("the registry of crates cannot be reached"), said
    assert any("There is no Cargo.lock" in line for line in yard.said), yard.said
