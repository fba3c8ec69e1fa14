"""The Node.js buildpack: what it decides, without a registry."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from wherry.settings import root_folder

HOME = root_folder() / "buildpacks/nodejs"
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


def write(app: Path, **files: Any) -> None:
    for name, content in files.items():
        path = app / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))


def refused(lib: Lib, what: Any, *args: Any) -> tuple[int, str]:
    with pytest.raises(lib.talk.Refusal) as caught:
        what(*args)
    return caught.value.code, "\n".join(caught.value.lines)


def test_detect_passes_for_a_package_json_whatever_it_says(tmp_path: Path) -> None:
    argv = [str(HOME / "bin/detect"), "/platform", str(tmp_path / "plan.toml")]
    none = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (none.returncode, none.stdout) == (100, "looks for package.json\n")
    write(tmp_path, **{"package.json": "{"})
    assert subprocess.run(argv, cwd=tmp_path, check=False).returncode == 0
    plan = tomllib.loads((tmp_path / "plan.toml").read_text())
    assert plan == {"provides": [{"name": "node"}], "requires": [{"name": "node"}]}


@pytest.mark.parametrize(
    ("files", "env", "wanted"),
    [
        ({}, {}, ("26.x", "")),
        ({".node-version": "22.1.0\n"}, {}, ("22.1.0", ".node-version")),
        ({".nvmrc": "# ours\nlts/jod\n", ".node-version": "18"}, {}, ("22.x", ".nvmrc")),
        ({".nvmrc": "lts/*"}, {}, ("26.x", ".nvmrc")),
        ({".nvmrc": "node"}, {}, ("*", ".nvmrc")),
        (
            {".nvmrc": "18", "engines": {"node": ">=20 <23 || 24"}},
            {},
            (">=20 <23 || 24", "engines.node in package.json"),
        ),
        (
            {"devEngines": {"runtime": {"name": "node", "version": "^24.3.0"}}},
            {},
            ("^24.3.0", "devEngines.runtime in package.json"),
        ),
        ({"engines": {"node": "18"}}, {"BP_NODE_VERSION": "24"}, ("24", "BP_NODE_VERSION")),
    ],
)
def test_the_version_is_the_one_that_the_app_asks_for(
    lib: Lib, tmp_path: Path, files: dict[str, Any], env: dict[str, str], wanted: tuple[str, str]
) -> None:
    values = {name: files.pop(name) for name in ("engines", "devEngines") if name in files}
    write(tmp_path, **files)
    found = lib.wanted.node(values, tmp_path, env)
    assert (found.range, found.source) == wanted


@pytest.mark.parametrize("text", ["-x", "$(id)", "24;id", "lts/nobody", "file:/etc", "24\n25"])
def test_t05_a_version_that_is_none_is_refused(lib: Lib, tmp_path: Path, text: str) -> None:
    code, said = refused(lib, lib.wanted.node, {"engines": {"node": text}}, tmp_path, {})
    assert code == 65
    assert said.startswith("engines.node in package.json does not name a version of Node.js: ")


def test_the_default_stands_in_the_readme(lib: Lib) -> None:
    assert f"the newest Node.js {lib.wanted.DEFAULT_MAJOR}." in (HOME / "README.md").read_text()
    pins = (HOME / "lib/pins.txt").read_text()
    assert all(f"node-linux-{machine}@{lib.wanted.DEFAULT_MAJOR}." in pins for machine in ("x64", "arm64"))


@pytest.mark.parametrize(
    ("versions", "range_fits", "chosen"),
    [
        (["27.1.0", "26.2.0", "26.1.0", "24.9.0"], None, "26.2.0"),
        (["25.1.0", "24.9.0", "22.1.0"], None, "24.9.0"),
        (["25.1.0", "23.9.0"], None, "25.1.0"),
        (["26.1.0"], [], ""),
    ],
)
def test_a_range_gets_a_long_term_release_where_one_fits(
    lib: Lib, versions: list[str], range_fits: list[str] | None, chosen: str
) -> None:
    class Registry:
        def versions(self, package: str, what: str) -> list[str]:
            return versions

        def matching(self, wanted: str, found: list[str]) -> list[str]:
            return found if range_fits is None else range_fits

    request = lib.wanted.Request(">=20", "engines.node")
    if chosen:
        assert lib.runtime._choose(Registry(), request) == chosen
    else:
        code, said = refused(lib, lib.runtime._choose, Registry(), request)
        assert code == 69
        assert said.startswith("Node.js >=20 is not available here: have 26.1.0\n")


@pytest.mark.parametrize(
    ("lock", "head", "values", "wanted"),
    [
        ("", "", {}, ("npm", "")),
        ("package-lock.json", "{}", {"engines": {"npm": "11.x"}}, ("npm", "11.x")),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n", {}, ("pnpm", "10.34.9")),
        ("pnpm-lock.yaml", "lockfileVersion: '6.0'\n", {}, ("pnpm", "8.15.9")),
        ("pnpm-lock.yaml", "lockfileVersion: 5.4\n", {}, ("pnpm", "7.33.7")),
        ("yarn.lock", "# yarn lockfile v1\n", {}, ("yarn", "1.22.22")),
        ("yarn.lock", "#\n\n__metadata:\n  version: 8\n", {}, ("yarn", "4.18.1")),
        ("yarn.lock", "__metadata:\n  version: 6\n", {}, ("yarn", "3.8.7")),
        ("bun.lock", "{}", {}, ("bun", "1.4.5")),
        ("", "", {"packageManager": "pnpm@11.1.0+sha512.abcdef"}, ("pnpm", "11.1.0")),
        ("", "", {"devEngines": {"packageManager": {"name": "bun", "version": "^1.2"}}}, ("bun", "^1.2")),
    ],
)
def test_the_lock_and_package_json_choose_the_package_manager(
    lib: Lib, tmp_path: Path, lock: str, head: str, values: dict[str, Any], wanted: tuple[str, str]
) -> None:
    if lock:
        write(tmp_path, **{lock: head})
    found = lib.choice.Choice(values, lib.manifest.lock_of(tmp_path), tmp_path)
    assert (found.name, found.wanted) == wanted


@pytest.mark.parametrize(
    ("values", "files", "words"),
    [
        ({"packageManager": "pnpm"}, {}, "packageManager in package.json is not a package manager and its version"),
        ({"packageManager": "pnpm@latest"}, {}, "Write it like pnpm@"),
        ({"packageManager": "yarn@4.0.0"}, {"package-lock.json": "{}"}, "is yarn, but package-lock.json is npm's"),
        ({}, {"bun.lock": "", "yarn.lock": ""}, "yarn.lock and bun.lock are lock files of different package managers"),
    ],
)
def test_package_managers_that_contradict_each_other_are_refused(
    lib: Lib, tmp_path: Path, values: dict[str, Any], files: dict[str, str], words: str
) -> None:
    write(tmp_path, **files)
    code, said = refused(lib, lambda: lib.choice.Choice(values, lib.manifest.lock_of(tmp_path), tmp_path))
    assert code == 65
    assert words in said


def test_two_locks_of_one_package_manager_are_no_contradiction(lib: Lib, tmp_path: Path) -> None:
    write(tmp_path, **{"package-lock.json": "{}", "npm-shrinkwrap.json": "{}"})
    assert lib.manifest.lock_of(tmp_path) == "npm-shrinkwrap.json"


SAID = {
    "npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree\nnpm error Found: react@17.0.2": "CONFLICT",
    "npm error code ECONNREFUSED\nnpm error FetchError: request to http://x failed": "NETWORK_DOWN",
    "npm error code EAI_AGAIN\nnpm error request to https://x failed, reason: getaddrinfo EAI_AGAIN x": "NETWORK_DOWN",
    "npm error code ETARGET\nnpm error notarget No matching version found for ms@99": "NOT_THERE",
    "npm error code EUSAGE\nnpm error `npm ci` can only install packages when your package.json and package-lock.json"
    " are in sync.": "OUT_OF_STEP",
    " ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with frozen-lockfile": "OUT_OF_STEP",
    " ERR_PNPM_META_FETCH_FAIL  GET http://127.0.0.1:9/ms: request failed": "NETWORK_DOWN",
    " ERR_PNPM_PEER_DEP_ISSUES  Unmet peer dependencies": "CONFLICT",
    "error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.": "OUT_OF_STEP",
    'error An unexpected error occurred: "http://127.0.0.1:9/ms: connect ECONNREFUSED".': "NETWORK_DOWN",
    "➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden.": "OUT_OF_STEP",
    "➤ YN0001: │ RequestError: connect ECONNREFUSED 127.0.0.1:9": "NETWORK_DOWN",
    "error: lockfile had changes, but lockfile is frozen": "OUT_OF_STEP",
    "error: ConnectionRefused downloading package manifest ms": "NETWORK_DOWN",
    "npm error gyp ERR! build error\nnpm error ../a.cc:1:10: fatal error: x.h: No such file": "NATIVE",
    "npm error command failed\nnpm error command sh -c exit 3": "SCRIPT",
    "Segmentation fault": "UNKNOWN",
}


@pytest.mark.parametrize("said", SAID)
def test_conflicts_locks_and_the_network_are_told_from_each_other(lib: Lib, said: str) -> None:
    assert lib.failures.kind_of(said.split("\n")) is getattr(lib.failures, SAID[said])
    assert lib.failures.evidence(said.split("\n"))


@pytest.mark.parametrize(
    ("values", "files", "web"),
    [
        ({"scripts": {"start": "next start -p $PORT"}}, [], "next start -p $PORT"),
        ({"scripts": {"start": "npm run serve", "serve": "node a.js"}}, [], "node a.js"),
        ({"scripts": {"start": "npm run start"}}, [], "npm run start"),
        ({"scripts": {"start": "node a.js", "prestart": "echo hi"}}, [], "(echo hi) || exit $?\nnode a.js"),
        ({"scripts": {"start": "yarn install"}}, [], "yarn install"),
        ({"main": "./lib/app.js"}, ["lib/app.js", "index.js"], "node lib/app.js"),
        ({"main": "lib/app.js"}, ["lib/app.js", "server.js"], "node server.js"),
        ({"main": "$(id).js"}, ["$(id).js"], ""),
        ({}, ["index.js"], "node index.js"),
        ({}, [], ""),
        ({"scripts": {"start": "node a.js"}}, ["Procfile"], ""),
    ],
)
def test_the_web_process_is_set_only_when_there_is_no_doubt(
    lib: Lib, tmp_path: Path, values: dict[str, Any], files: list[str], web: str
) -> None:
    write(tmp_path / "app", **dict.fromkeys(files, ""))
    (tmp_path / "app").mkdir(exist_ok=True)
    lib.launch.write(values, tmp_path / "app", tmp_path, "node")
    launch = tmp_path / "launch.toml"
    if not web:
        assert not launch.exists()
        return
    (process,) = tomllib.loads(launch.read_text())["processes"]
    assert process == {"type": "web", "command": ["bash", "-c", web], "default": True}


def test_a_web_process_of_devdependencies_only_is_warned_of(
    lib: Lib, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("dev-modules/node_modules/.bin/ng", "dev-modules/node_modules/.bin/next", "modules/node_modules/.bin/next")
    write(tmp_path, **dict.fromkeys(names, ""))
    for start, warned in (("NG_X=1 ng serve", True), ("next start", False), ("node a.js", False), ("$(ng)", False)):
        lib.launch.write({"scripts": {"start": start}}, tmp_path / "app", tmp_path, "node")
        assert ("Warning: ng comes from devDependencies" in capsys.readouterr().out) is warned, start


def test_built_files_without_a_server_are_told_how_they_are_served(
    lib: Lib, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "app", **{"dist/index.html": ""})
    lib.launch.write({}, tmp_path / "app", tmp_path, "node")
    assert "wherry buildpacks:add wherry/static" in capsys.readouterr().out
    write(tmp_path / "app", **{"static.json": '{"root": "dist"}'})
    lib.launch.write({}, tmp_path / "app", tmp_path, "node")
    assert "buildpacks" not in capsys.readouterr().out


def test_code_does_not_change_what_is_to_be_installed_and_all_else_does(lib: Lib, tmp_path: Path) -> None:
    values: dict[str, Any] = {"workspaces": ["p/*"], "scripts": {"build": "x"}, "dependencies": {"l": "file:./local"}}
    write(tmp_path, **{"package.json": values, "p/a/package.json": {}, "local/i.js": "1", ".npmrc": "a=b\n"})

    def key(**env: str) -> str:
        return str(lib.inputs.Packages(tmp_path, values).key(env, "24.1.0", "npm 11"))

    first = key()
    write(tmp_path, **{"a.js": "changed", "p/a/b.js": "changed", "node_modules/x/package.json": "{}"})
    values["scripts"] = {"build": "y", "start": "z"}
    assert key() == first == key(GREETING="changed")
    seen = {first, key(CNB_STACK_ID="another"), key(NPM_CONFIG_LEGACY_PEER_DEPS="true")}
    for name in (".npmrc", "p/a/package.json", "local/i.js", "patches/a.patch", "prisma/schema.prisma"):
        write(tmp_path, **{name: '{"version": "2"}'})
        seen.add(key())
    values["scripts"] = {"postinstall": "z"}
    seen.add(key())
    assert len(seen) == 9


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, (True, True, True)),
        ({"NPM_CONFIG_PRODUCTION": "true"}, (False, False, False)),
        ({"NPM_CONFIG_PRODUCTION": "false"}, (True, False, False)),
        ({"NODE_ENV": "development"}, (True, False, False)),
    ],
)
def test_herokus_switches_say_what_becomes_of_devdependencies(
    lib: Lib, tmp_path: Path, env: dict[str, str], expected: tuple[bool, bool, bool]
) -> None:
    packages = lib.inputs.Packages(tmp_path, {"devDependencies": {"vite": "7"}})
    manager = lib.managers.of("npm", "11.0.0", False, True, tmp_path, tmp_path)
    plan = lib.install.plan_of(packages, manager, "package-lock.json", ["build"], env)
    assert (plan.dev, plan.prune, plan.apart) == expected


@pytest.mark.parametrize(
    ("name", "version", "locked", "install", "prune"),
    [
        ("npm", "11.17.0", True, "npm ci --include=dev", "npm prune --omit=dev --ignore-scripts"),
        ("npm", "6.14.18", True, "npm ci --production=false", "npm prune --production --ignore-scripts"),
        ("pnpm", "10.34.8", True, "pnpm install --frozen-lockfile --prod=false", "pnpm prune --prod --ignore-scripts"),
        ("yarn", "4.18.1", True, "yarn install --immutable", "yarn workspaces focus --all --production"),
        ("yarn", "3.8.7", True, "yarn install --immutable", ""),
    ],
)
def test_devdependencies_are_there_for_the_build_and_go_for_the_app(
    lib: Lib, tmp_path: Path, name: str, version: str, locked: bool, install: str, prune: str
) -> None:
    manager = lib.managers.of(name, version, False, locked, tmp_path, tmp_path)
    assert (" ".join(manager.install), " ".join(manager.prune)) == (install, prune)


def test_links_of_workspaces_lead_to_the_app_and_packages_to_the_layer(lib: Lib, tmp_path: Path) -> None:
    app, layer = tmp_path / "app", tmp_path / "layer"
    write(app, **{"packages/a/i.js": "1", "packages/a/node_modules/ms/i.js": "2", "node_modules/@x/b/i.js": "3"})
    (app / "node_modules/a").symlink_to("../packages/a")
    (app / "node_modules/.bin").mkdir()
    lib.modules.take(app, layer)
    assert not (app / "node_modules").exists()
    lib.modules.open_up(app, layer, copy=False)
    assert not (app / "node_modules").is_symlink()
    assert (app / "node_modules/@x/b").readlink() == layer / "node_modules/@x/b"
    write(app, **{"node_modules/.prisma/client/i.js": "made", "node_modules/.cache/x": "kept for scripts only"})
    lib.modules.close(app, layer, caches=False)
    lib.modules.lead(app, layer)
    assert (app / "node_modules").readlink() == layer / "node_modules"
    assert (layer / "node_modules/a").readlink() == app / "packages/a"
    assert (app / "node_modules/a/node_modules/ms/i.js").read_text() == "2"
    assert (app / "node_modules/.prisma/client/i.js").read_text() == "made"
    assert not (layer / "node_modules/.cache").exists()


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("  code: 'ERR_OSSL_EVP_UNSUPPORTED'", "wherry config:set NODE_OPTIONS=--openssl-legacy-provider"),
        ("TypeError: x is not a function", "Try: npm run build"),
    ],
)
def test_a_script_that_fails_for_a_known_reason_has_the_command_that_helps(lib: Lib, said: str, hint: str) -> None:
    assert lib.scripts._hint(["one line", said], "npm run build").endswith(hint)


def test_folders_of_a_build_come_back_at_the_next_and_none_outside_of_the_app(
    lib: Lib, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app, outside = tmp_path / "app", tmp_path / "outside"
    (tmp_path / "layers").mkdir()
    write(outside, secret="1")
    values = {
        "cacheDirectories": ["./made/", "made", "client/node_modules", ".", "../outside", "/etc", "led", 7],
        "dependencies": {"next": "16"},
    }
    names = lib.kept.names_of(values)
    assert names == ["made", "led", ".next/cache"]
    assert "../outside is no folder below the app's" in capsys.readouterr().out

    def build(version: str, *, fails: bool = False) -> set[str]:
        shutil.rmtree(app, ignore_errors=True)
        write(app, own="1")
        (app / "led").symlink_to(outside)
        layers = lib.store.Layers(tmp_path / "layers")
        with suppress(ZeroDivisionError), lib.kept.folders(layers, app, names, version):
            found = {str(path.relative_to(app)) for path in app.rglob("*") if path.is_file()}
            write(app, **{"made/a": "1", ".next/cache/b": "1"})
            if fails:
                raise ZeroDivisionError
        layers.close()
        return found

    assert build("26.1.0") == {"own"}
    assert build("26.1.0", fails=True) == {"own", "made/a", ".next/cache/b"}
    assert build("26.1.0") == {"own", "made/a", ".next/cache/b"}
    assert not (tmp_path / "layers/kept/led").exists()
    assert build("26.2.0") == {"own"}


def test_what_a_script_generates_in_a_package_reaches_the_app(lib: Lib, tmp_path: Path) -> None:
    scripts, own = tmp_path / "dev-modules", tmp_path / "modules"
    for layer in (scripts, own):
        write(layer, **{"node_modules/client/i.js": "old", "node_modules/same/i.js": "same"})
    write(scripts, **{"node_modules/vite/i.js": ""})
    (tmp_path / "mark").touch()
    os.utime(tmp_path / "mark", (1, 1))
    before = (own / "node_modules/same/i.js").stat().st_ctime_ns
    made = {"client/i.js": "new", "same/i.js": "same", "vite/x.js": "", ".vite/x.js": "", ".prisma/client/i.js": "new"}
    write(scripts, **{f"node_modules/{name}": content for name, content in made.items()})
    assert sorted(lib.modules.carry(scripts, own, tmp_path / "mark")) == [
        "node_modules/.prisma/client/i.js",
        "node_modules/client/i.js",
    ]
    assert (own / "node_modules/client/i.js").read_text() == "new"
    assert (own / "node_modules/same/i.js").stat().st_ctime_ns == before


def test_no_host_of_a_registry_is_named() -> None:
    for path in HOME.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert not re.search(r"npmjs|yarnpkg\.com/[a-z@]|pypi\.org|nodejs\.org/dist", path.read_text()), path
