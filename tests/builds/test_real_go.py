"""The Go samples, built for real: Go from the package index, modules from the proxy, the image run as an app is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailure

from tests.builds.real_world import copy, failure, replaced
from tests.builds.yard import Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests here: they build the same app, so that Go is fetched for the first of them."""
    return tmp_path_factory.mktemp("home")


def test_go_hello_is_built_without_go_in_the_image_and_a_code_change_compiles_that_only(
    yard: Yard, sample: Path
) -> None:
    copy("go-hello", sample)
    first = yard.build(sample)
    assert any("Getting Go 1.26." in line for line in yard.said), yard.said
    assert any("go: downloading github.com/go-chi/chi/v5" in line for line in yard.said), yard.said
    assert first.processes["web"] == "hello"
    with yard.running(first) as app:
        assert "Hello from chi, go1.26." in app.ask()
        assert "A file of the app." in app.ask("/static/file.txt")
        code, seconds = app.stop()
        assert (code, seconds < 5) == (0, True), app.logs()

    main = sample / "main.go"
    main.write_text(main.read_text().replace("Hello from chi", "Changed, by chi"))
    began = time.monotonic()
    second = yard.build(sample, previous=first)
    took = time.monotonic() - began
    print("code-only rebuild", took)
    assert yard.bill(second).keys() >= {"stdlib", "v5", "libc6"}
    assert not any("Getting" in line or "downloading" in line for line in yard.said), yard.said
    with yard.running(second) as app:
        assert "Changed, by chi, go1.26." in app.ask()

    third = yard.build(sample, previous=second)
    assert third == second
    assert not any("Added layer" in line for line in yard.said), yard.said
    assert took < 30


def test_after_a_compile_error_nothing_is_fetched_or_compiled_again(yard: Yard, sample: Path) -> None:
    copy("go-hello", sample)
    good = (sample / "main.go").read_text()
    first = yard.build(sample)
    (sample / "main.go").write_text(good + "\nfunc broken() { return 1 }\n")
    assert failure(yard, sample)[0] is BuildFailure.COMPILE_ERROR
    (sample / "main.go").write_text(good.replace("Hello from chi", "Mended, by chi"))
    yard.build(sample, previous=first, GOFLAGS="-v")
    assert not any("downloading" in line for line in yard.said), yard.said
    assert not any(line.strip() in ("net/http", "github.com/go-chi/chi/v5") for line in yard.said), yard.said


def test_vendored_modules_are_built_without_the_network_and_both_programs_are_there(yard: Yard, sample: Path) -> None:
    copy("go-vendor", sample)
    image = yard.build(sample, GOPROXY="http://127.0.0.1:9", BP_GO_VERSION="1.26")
    assert any("Building greet, web with the modules of vendor/" in line for line in yard.said), yard.said
    assert image.processes["web"] == "web"
    with yard.running(image) as app:
        assert "Hello from vendor/" in app.ask()
    (sample / "Procfile").write_text("web: bin/greet && exec bin/web\n")
    image = yard.build(sample, previous=image, BP_GO_VERSION="1.26")
    with yard.running(image) as app:
        assert "Hello from vendor/" in app.ask()
        assert "From a command: Hello from vendor/" in app.logs()


BROKEN = [
    ("go-no-such-version", BuildFailure.VERSION_NOT_AVAILABLE, ["Go 1.99.0 is not available here: have 1.27."]),
    (
        "go-compile-error",
        BuildFailure.COMPILE_ERROR,
        ["the app does not compile", "./main.go:7:14: undefined: greting", "go build ./..."],
    ),
    (
        "go-missing-module",
        BuildFailure.BAD_SOURCE,
        ["the app imports a package that no module of go.mod has", "main.go:6:2: no required module", "go mod tidy"],
    ),
    (
        "go-sum-mismatch",
        BuildFailure.BAD_SOURCE,
        ["a module is not the one that go.sum names", "go-chi/chi/v5@v5.2.3: checksum mismatch", "h1:AAAA"],
    ),
]


def test_a_broken_app_says_why_the_cause_first(yard: Yard, sample: Path) -> None:
    for name, kind, words in BROKEN:
        found, said = failure(yard, replaced(name, sample))
        assert (found, [word for word in words if word not in said]) == (kind, []), said
        assert said.startswith(words[0]), said


def test_a_proxy_that_is_not_there_is_the_network(yard: Yard, sample: Path) -> None:
    copy("go-hello", sample)
    (sample / "go.mod").write_text((sample / "go.mod").read_text().replace("v5.2.3", "v5.2.2"))
    with (sample / "go.sum").open("a") as file:
        file.write("github.com/go-chi/chi/v5 v5.2.2/go.mod h1:L2yAIGWB3H+phAw1NxKwWM+7eUH/lU8pOMm5hHcoops=\n")
        file.write("github.com/go-chi/chi/v5 v5.2.2 h1:CMwsvRVTbXVytCk1Wd72Zy1LAsAh9GxMmSNWLHCG618=\n")
    kind, said = failure(yard, sample, GOPROXY="http://127.0.0.1:9")
    assert kind is BuildFailure.NETWORK
    assert said.startswith("the module proxy cannot be reached"), said
