"""The PHP buildpack's own decisions, its scripts really run. (Composer, nginx and PHP are in
tests/builds/test_real_php.)"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from wherry.settings import root_folder

HOME = root_folder() / "buildpacks/php"
BASE = ["curl", "mbstring", "xml"]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def lay(app: Path, **files: object) -> Path:
    for name, content in files.items():
        path = app / name.replace("__", "/").replace("_php", ".php").replace("_json", ".json").replace("_lock", ".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return app


def detect(app: Path, **env: str) -> tuple[int, str, list[dict[str, object]]]:
    plan = app.parent / "plan.toml"
    argv = [str(HOME / "bin/detect"), "/platform", str(plan)]
    given = {"PATH": os.environ["PATH"], **env}
    done = subprocess.run(argv, cwd=app, env=given, capture_output=True, text=True, check=False)
    requires = tomllib.loads(plan.read_text())["requires"] if plan.exists() else []
    return done.returncode, done.stdout + done.stderr, [each["metadata"] for each in requires if "metadata" in each]


def build(app: Path, **env: str) -> tuple[int, str]:
    """Of an app that is refused before anything is looked for."""
    (app.parent / "layers").mkdir()
    argv = [str(HOME / "bin/build"), str(app.parent / "layers"), "/platform", "/plan"]
    given = {"PATH": "/usr/bin:/bin", **env}
    done = subprocess.run(argv, cwd=app, env=given, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def python(app: Path, script: str, **env: str) -> str:
    """A script with the buildpack's modules at hand; its output."""
    start = f"import sys; sys.path.insert(0, {str(HOME / 'lib')!r})\n"
    start += "import build, composer, failures, manifest, talk, versions, wanted\n"
    start += "from pathlib import Path\napp = Path.cwd()\n"
    argv = [sys.executable, "-B", "-c", start + script]
    given = {"PATH": os.environ["PATH"], **env}
    done = subprocess.run(argv, cwd=app, env=given, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


@pytest.mark.parametrize(
    ("files", "env", "code"),
    [
        ({"index_php": ""}, {}, 0),
        ({"composer_json": {}}, {}, 0),
        ({"composer_json": "{"}, {}, 0),
        ({"public__index_php": ""}, {}, 0),
        ({"site__index_php": ""}, {"BP_PHP_DOCUMENT_ROOT": "site"}, 0),
        ({"site__index_php": ""}, {}, 100),
        ({"page_php": ""}, {}, 100),
    ],
)
def test_detect_passes_for_composer_json_or_a_page(
    app: Path, files: dict[str, object], env: dict[str, str], code: int
) -> None:
    assert detect(lay(app, **files), **env)[0] == code


def test_extensions_are_asked_for_by_the_packages_that_bring_them(app: Path) -> None:
    packages = [
        {"name": "a/a", "require": {"ext-PDO": "*", "ext-pdo_mysql": "*", "ext-intl": "*", "php": "^8"}},
        {"name": "b/polyfill", "provide": {"ext-ctype": "*", "ext-intl": "*"}},
    ]
    lay(
        app,
        composer_json={
            "require": {"php": "~8.3.1", "ext-gd": "*", "ext-json": "*", "ext-dom": "*"},
            "require-dev": {"ext-xdebug": "*"},
        },
        composer_lock={"packages": packages, "packages-dev": [{"require": {"ext-pcov": "*"}}], "platform": []},
    )
    words = {"asked": "composer.json", "hint": 'Ask for {have}.* by "php" in composer.json, or remove it.'}
    base = ["php8.3-cli", "php8.3-fpm", *(f"php8.3-{name}" for name in BASE)]
    assert detect(app, CNB_TARGET_DISTRO_NAME="debian") == (
        0,
        "",
        [
            {"packages": base, "launch": True, "what": "PHP ~8.3.1", "have": "php([0-9]+[.][0-9]+)-fpm", **words},
            {"packages": ["nginx", "systemd-standalone-tmpfiles"], "launch": True},
            {"packages": ["php8.3-gd"], "launch": True, "what": "the PHP extension gd"},
            {"packages": ["php8.3-mysql"], "launch": True, "what": "the PHP extension pdo_mysql"},
            {"packages": ["composer", "php8.3-intl"]},
        ],
    )


def test_apache_is_asked_for_where_the_procfile_starts_herokus_program_for_it(app: Path) -> None:
    lay(app, index_php="")
    for line, apache in (
        ("web: heroku-php-apache2 web/", True),
        ("web: php migrate.php && vendor/bin/heroku-php-apache2 -C apache.conf public", True),
        ("web: heroku-php-nginx", False),
        ("web: serve-php . # not-heroku-php-apache2", False),
    ):
        (app / "Procfile").write_text(line)
        packages = [name for each in detect(app)[2] for name in each["packages"]]  # type: ignore[attr-defined]
        assert ("apache2-bin" in packages, "nginx" in packages) == (apache, True), line


@pytest.mark.parametrize(
    ("constraint", "have", "met"),
    [
        ("^8.1", "8.2.35", True),
        ("^8.3", "8.2.35", False),
        ("8.2.*", "8.2.35", True),
        ("8.*", "8.2.35", True),
        ("8.2", "8.2.35", False),
        ("8.2.35", "8.2.35", True),
        ("~8.1", "8.2.35", True),
        ("~8.1.0", "8.2.35", False),
        (">=7.4 <8.2", "8.2.35", False),
        (">= 7.4, < 9", "8.2.35", True),
        ("^7.4 || ^8.0", "8.2.35", True),
        ("^7.4|^9", "8.2.35", False),
        ("7.4 - 8.2", "8.2.35", True),
        ("7.4 - 8.1", "8.2.35", False),
        ("7.4 - 8.2.34", "8.2.35", False),
        ("*", "8.2.35", True),
        ("^8.0 !=8.2.35", "8.2.35", False),
    ],
)
def test_a_php_is_compared_as_composer_compares_it(app: Path, constraint: str, have: str, met: bool) -> None:
    assert python(app, f"print(versions.met({constraint!r}, {have!r}))") == str(met)


@pytest.mark.parametrize(
    ("constraint", "series"),
    [
        ("8.3.*", "8.3"),
        ("~8.3.0", "8.3"),
        ("8.3.1", "8.3"),
        (">=8.3 <8.4", "8.3"),
        ("^8.1", ""),
        ("*", ""),
        ("~8.3.0 || ~8.4.0", ""),
    ],
)
def test_a_series_is_asked_for_when_only_one_can_be_meant(app: Path, constraint: str, series: str) -> None:
    assert python(app, f"print(versions.series({constraint!r}))") == series


@pytest.mark.parametrize(
    ("files", "env", "expected"),
    [
        ({"index_php": ""}, {}, "('', 'composer.lock')"),
        ({"composer_json": {"require": {"php": "^8.1"}}}, {}, "('^8.1', 'composer.json')"),
        ({"composer_json": {}, "composer_lock": {"platform": {"php": ">=8"}}}, {}, "('>=8', 'composer.lock')"),
        ({"composer_json": {"require": {"php": "^7"}}}, {"BP_PHP_VERSION": "8.2"}, "('8.2.*', 'BP_PHP_VERSION')"),
        ({"index_php": ""}, {"BP_PHP_VERSION": "~8.2.4"}, "('~8.2.4', 'BP_PHP_VERSION')"),
    ],
)
def test_the_version_is_the_one_that_the_app_asks_for(
    app: Path, files: dict[str, object], env: dict[str, str], expected: str
) -> None:
    assert python(lay(app, **files), "print(wanted.constraint(manifest.read(app)))", **env) == expected


@pytest.mark.parametrize(
    ("files", "env", "words"),
    [
        ({"composer_json": "{\n 1}"}, {}, "composer.json is not JSON: line 2, column 2"),
        ({"composer_json": "[]"}, {}, "composer.json is no JSON object"),
        ({"composer_json": "[" * 100_000}, {}, "composer.json cannot be read"),
        ({"composer_json": {}, "composer_lock": "<<<<"}, {}, "composer.lock is not JSON"),
        ({"composer_json": {"require": {"ext-a;id": "*"}}}, {}, "this is no PHP extension: ext-'a;id'"),
        ({"composer_json": {"require": {"php": "$(id)"}}}, {}, "this is no constraint on PHP: '$(id)'"),
        ({"index_php": ""}, {"BP_PHP_VERSION": "latest"}, "this is no constraint on PHP: 'latest'"),
        ({"index_php": ""}, {"BP_PHP_DOCUMENT_ROOT": "../.."}, "BP_PHP_DOCUMENT_ROOT is not a folder of the app"),
        ({"index_php": ""}, {"BP_PHP_DOCUMENT_ROOT": "/etc"}, "BP_PHP_DOCUMENT_ROOT is not a folder of the app"),
    ],
)
def test_b15_what_cannot_be_is_refused_by_the_build_with_the_cause_first(
    app: Path, files: dict[str, object], env: dict[str, str], words: str
) -> None:
    lay(app, **files)
    code, said = build(app, **env)
    assert (code, said.split("\n")[0].removeprefix(" !     ")[: len(words)]) == (65, words)
    assert detect(app, **{"BP_PHP_VERSION": "8.2", **env})[0] in (0, 100)


@pytest.mark.parametrize(
    ("files", "env", "root"),
    [
        ({"index_php": ""}, {}, "."),
        ({"index_php": "", "public__style.css": ""}, {}, "."),
        ({"public__index_php": "", "index_php": ""}, {}, "public"),
        ({"web__index_php": ""}, {}, "web"),
        ({"site__x": "", "web__index_php": ""}, {"BP_PHP_DOCUMENT_ROOT": "site/"}, "site"),
    ],
)
def test_the_document_root_is_the_apps_choice_or_the_usual_one(
    app: Path, files: dict[str, object], env: dict[str, str], root: str
) -> None:
    assert python(lay(app, **files), "print(build.document_root())", **env) == root


def test_the_autoloader_changes_with_classes_and_not_with_other_code(app: Path) -> None:
    autoload = {"psr-4": {"App\\": ["src/", "more"]}, "classmap": ["old.php"]}
    lay(
        app,
        src__A_php="<?php\nnamespace App;\n\nfinal class A\n{ function f() { return 1; } }\n",
        old_php="<?php class Old {}",
    )
    script = f"print(composer._classes({autoload!r}))"
    first = python(app, script)
    lay(
        app,
        src__A_php="<?php\nnamespace App;\n\nfinal class A\n{ function f() { return 2; } }\n",
        other_php="class X {}",
    )
    assert python(app, script) == first
    seen = {first}
    for name, text in (
        ("src__B_php", ""),
        ("src__A_php", "namespace App;\nclass Renamed {"),
        ("more__E_php", "enum E {"),
    ):
        lay(app, **{name: text})
        seen.add(python(app, script))
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("content", "lock", "runs"),
    [
        ({}, {}, False),
        ({"scripts": {"test": "x", "compile": "y"}}, {}, False),
        ({"scripts": {"post-autoload-dump": ["@php artisan package:discover"]}}, {}, True),
        ({}, {"packages": [{"type": "composer-plugin"}]}, True),
        ({}, {"packages-dev": [{"type": "composer-plugin"}], "packages": [{"type": "library"}]}, False),
    ],
)
def test_composer_runs_every_time_only_where_it_does_more_than_to_install(
    app: Path, content: dict[str, object], lock: dict[str, object], runs: bool
) -> None:
    lay(app, composer_json=content, composer_lock=lock)
    assert python(app, "print(manifest.read(app).runs_at_install)") == str(runs)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("- a/b 1.0 requires php ^8.3 -> your php version (8.2.35) does not satisfy that requirement.", 69),
        ("- a/b 1.0 requires ext-gd * -> it is missing from your system. Install or enable PHP's gd extension.", 65),
        ("curl error 6 while downloading https://packages.example/x.zip: Could not resolve host: packages.example", 75),
        ('- Required package "a/b" is not present in the lock file.', 65),
        ("Your requirements could not be resolved to an installable set of packages.", 65),
        ("Script @php artisan package:discover handling the post-autoload-dump event returned with error code 1", 1),
        ("Something else", 1),
    ],
)
def test_composers_words_tell_the_cause(app: Path, line: str, code: int) -> None:
    script = f"r = failures.refusal(['Installing', {line!r}]); print(r.code, {line!r} in r.lines)"
    assert python(app, script) == f"{code} True"


def test_a_network_failure_names_the_hosts_and_leaves_out_what_went_well(app: Path) -> None:
    lines = ["- Downloading a/b (1.0)"]
    lines += [
        f"Failed to download a/{n} from dist: curl error 6 while downloading https://one.example/{n}" for n in "xx"
    ]
    lines += ["Now trying to download from source", "Could not resolve host: two.example."]
    script = f"r = failures.refusal({lines!r}); print(r.code, *r.lines, sep='|')"
    assert python(app, script) == "|".join(
        [
            "75",
            "the package server cannot be reached: one.example, two.example",
            lines[1],
            lines[4],
            "",
            "Is it reachable from builds? Pushing again is worth a try.",
        ]
    )
