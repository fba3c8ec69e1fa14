"""The Node.js samples, built for real: packages from the npm registry, the image run as an app is."""

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
    """One for all tests here: they build the same app, so that Node.js is fetched for the first of them."""
    return tmp_path_factory.mktemp("home")


def test_node_express_is_built_and_a_code_change_installs_and_exports_no_packages(yard: Yard, sample: Path) -> None:
    copy("node-express", sample)
    first = yard.build(sample)
    assert any("Installing package-lock.json with npm" in line for line in yard.said), yard.said
    assert first.processes["web"] == "node server.js"
    with yard.running(first) as app:
        assert "Hello from express, Node.js v24." in (answer := app.ask())
        assert "production" in answer
        code, seconds = app.stop()
        assert code == 0, app.logs()
        assert seconds < 5

    server = sample / "server.js"
    server.write_text(server.read_text().replace("Hello from express", "Changed"))
    began = time.monotonic()
    second = yard.build(sample, previous=first)
    print("code-only rebuild", time.monotonic() - began)
    assert yard.bill(second).keys() >= {"express", "node", "npm"}
    assert not any("Installing" in line or "Added layer wherry/nodejs" in line for line in yard.said), yard.said
    for layer in ("node", "npm", "modules"):
        assert any(f"Unchanged layer wherry/nodejs:{layer}" in line for line in yard.said), yard.said
    with yard.running(second) as app:
        assert "Changed" in app.ask()

    broken = sample.with_name("broken")
    for name, kind, words in BROKEN:
        found, said = failure(yard, replaced(name, broken))
        assert (found, [word for word in words if word not in said]) == (kind, []), said
    third = yard.build(sample, previous=second)
    assert third == second
    assert not any("Getting" in line for line in yard.said), yard.said


BROKEN = [
    ("node-no-such-version", BuildFailure.VERSION_NOT_AVAILABLE, ["Node.js 99.x is not available here: have 26."]),
    (
        "node-lock-out-of-step",
        BuildFailure.BAD_SOURCE,
        ["package-lock.json does not match package.json", "ms@2.0.0", "npm install"],
    ),
    (
        "node-two-locks",
        BuildFailure.BAD_SOURCE,
        ["package-lock.json and yarn.lock are lock files of different package managers", "git rm package-lock.json"],
    ),
    (
        "node-build-fails",
        BuildFailure.BUILDPACK_FAILED,
        ['the script "build" of package.json failed with exit code 2', "the picture team.jpg is missing"],
    ),
    ("node-bad-json", BuildFailure.BAD_SOURCE, ["package.json is not JSON: line 5, column 3", "python3 -m json.tool"]),
]


def test_conflicts_and_the_network_are_told_from_each_other(yard: Yard, sample: Path) -> None:
    sample.mkdir()
    asked = '"react": "17.0.2", "react-dom": "18.3.1"'
    (sample / "package.json").write_text(f'{{"engines": {{"node": "24.x"}}, "dependencies": {{{asked}}}}}\n')
    kind, said = failure(yard, sample)
    assert (kind, said.split("\n")[0]) == (
        BuildFailure.DEPENDENCY_CONFLICT,
        "the packages that the app asks for contradict each other",
    )
    assert "react@17.0.2" in said

    kind, said = failure(yard, sample, NPM_CONFIG_REGISTRY="http://127.0.0.1:9/", npm_config_fetch_retries="0")
    assert kind is BuildFailure.NETWORK
    assert "the npm registry cannot be reached" in said.split("\n")[0]


def test_an_app_may_change_its_package_manager(yard: Yard, sample: Path) -> None:
    previous = None
    for name, words in (
        ("node-pnpm", "Hello from pnpm: 1h, dev: false"),
        ("node-yarn", "Hello from yarn: 1h, dev: false"),
        ("node-bun", "Hello from Bun 1.4.5: 1h"),
        ("node-workspace", "Hello from a workspace, ms 2.0.0 and 2.1.3"),
    ):
        replaced(name, sample)
        previous = yard.build(sample, previous=previous)
        with yard.running(previous) as app:
            assert words in app.ask(), app.logs()
            code, seconds = app.stop()
            assert seconds < 5
            # Yarn says what its script died of in a way of its own.
            assert code == 0 or name == "node-yarn", app.logs()


def test_a_build_script_has_devdependencies_and_the_app_has_not(yard: Yard, sample: Path) -> None:
    copy("node-vite", sample)
    manifest = sample / "package.json"
    text = manifest.read_text().replace(
        '"vite build"', '"vite build && mkdir -p made && echo built >> made/times && cat made/*"'
    )
    manifest.write_text(text.replace("{", '{ "cacheDirectories": ["node_modules", "made", "/etc"],', 1))
    first = yard.build(sample)
    assert "       cacheDirectories: /etc is no folder below the app's; it is left out" in yard.said
    assert yard.said.count("       built") == 1
    with yard.running(first) as app:
        assert "Hello from Vite" in app.ask()

    (sample / "Procfile").write_text("web: npm start\n")
    (sample / "main.js").write_text('document.body.append("changed");\n')
    second = yard.build(sample, previous=first)
    assert any("vite build" in line for line in yard.said), yard.said
    assert yard.said.count("       built") == 2, yard.said
    assert not any("Installing" in line or "Added layer wherry/nodejs" in line for line in yard.said), yard.said
    with yard.running(second) as app:
        page = app.ask()
        script = page.partition('src="')[2].partition('"')[0]
        assert "changed" in app.ask(script)
        code, seconds = app.stop()
        assert code == 0, app.logs()
        assert seconds < 5


def test_a_native_addon_is_compiled_without_headers_from_the_network_and_at_every_build(
    yard: Yard, sample: Path
) -> None:
    """Its files lie in the app, which comes without them each time."""
    copy("node-native", sample)
    first = yard.build(sample)
    with yard.running(first) as app:
        assert "Hello from C" in app.ask(), app.logs()
    source = sample / "hello.c"
    source.write_text(source.read_text().replace("Hello from C", "Changed in C"))
    second = yard.build(sample, previous=first)
    assert not any("Added layer wherry/nodejs" in line for line in yard.said), yard.said
    with yard.running(second) as app:
        assert "Changed in C" in app.ask(), app.logs()

    source.write_text("#include <no_such_header.h>\n")
    kind, said = failure(yard, sample)
    assert kind is BuildFailure.COMPILE_ERROR
    assert "no_such_header.h: No such file" in said
