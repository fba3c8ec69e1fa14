"""The static buildpack's settings and refusals, its scripts really run. (nginx serves in tests/builds/test_real_static.)"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from wherry.settings import root_folder

HOME = root_folder() / "buildpacks/static"


def detect(app: Path, **env: str) -> tuple[int, str]:
    argv = [str(HOME / "bin/detect"), "/platform", str(app.parent / "plan.toml")]
    given = {"PATH": os.environ["PATH"], **env}
    done = subprocess.run(argv, cwd=app, env=given, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


SETTINGS = """
import os, sys
sys.path.insert(0, sys.argv[1])
import settings
site, _ = settings.read_site(os.environ)
print(site.root, site.spa or "", site.clean_urls or "", site.error_page, sep="|")
"""


def settings(app: Path, **env: str) -> str:
    argv = ["python3", "-B", "-I", "-c", SETTINGS, str(HOME / "lib")]
    given = {"PATH": os.environ["PATH"], **env}
    return subprocess.run(argv, cwd=app, env=given, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def lay(app: Path, **files: str) -> Path:
    for name, content in files.items():
        path = app / name.replace("__", "/").replace("_html", ".html").replace("_json", ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return app


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"index_html": ""}, 0),
        ({"public__index_html": ""}, 0),
        ({"dist__index_html": ""}, 0),
        ({"site__index_html": ""}, 100),
        ({"site__index_html": "", "static_json": '{"root": "site/"}'}, 0),
        ({"index_html": "", "static_json": '{"root": "site"}'}, 100),
        ({"index_html": "", "static_json": '{"root": "dist"}', "package_json": "{}"}, 0),
        ({"project.toml": '[io.wherry.static]\nroot = "dist"\n', "package_json": "{}"}, 0),
        ({"project.toml": '[_]\nschema-version = "0.2"\n', "package_json": "{}"}, 100),
        ({"package_json": "{}"}, 100),
        ({"index_html": "", "Procfile": "worker: x\n"}, 0),
        ({"index_html": "", "Procfile": "web: x\n"}, 100),
        ({}, 100),
    ],
)
def test_detect_passes_for_a_page_to_begin_with(app: Path, files: dict[str, str], code: int) -> None:
    assert detect(lay(app, **files))[0] == code


def test_a_page_that_no_build_has_made_is_refused(app: Path) -> None:
    lay(app, package_json="{}", static_json='{"root": "dist"}')
    argv = [str(HOME / "bin/build"), str(app.parent), "/platform", "/plan"]
    done = subprocess.run(argv, cwd=app, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split("\n")[0]) == (65, " !     there is no index.html in dist")


@pytest.mark.parametrize(
    ("files", "env", "expected"),
    [
        ({"index_html": ""}, {}, ".|||"),
        ({"public__index_html": ""}, {}, "public|||"),
        ({"static_json": '{"root": "x", "clean_urls": true, "error_page": "e.html"}'}, {}, "x||True|e.html"),
        ({"static_json": '{"root": "x", "routes": {"/**": "index.html"}}'}, {}, "x|True||"),
        ({"project.toml": '[io.wherry.static]\nroot = "y"\nspa = true\n'}, {}, "y|True||"),
        ({"project.toml": '[io.wherry.static]\nroot = "y"\n', "static_json": '{"root": "x"}'}, {}, "y|||"),
        ({"static_json": '{"root": "x"}'}, {"BP_STATIC_ROOT": "z", "BP_STATIC_SPA": "true"}, "z|True||"),
        ({"static_json": '{"root": "$(id) \'x\' $HOME"}'}, {}, "$(id) 'x' $HOME|||"),
    ],
)
def test_settings_come_from_variables_then_project_toml_then_static_json(
    app: Path, files: dict[str, str], env: dict[str, str], expected: str
) -> None:
    assert settings(lay(app, **files), **env) == expected


@pytest.mark.parametrize(
    "files",
    [
        {"static_json": "{"},
        {"static_json": "[]"},
        {"static_json": '{"root": 1}'},
        {"static_json": '{"root": "a\\nb"}'},
        {"static_json": '{"root": "../../etc"}'},
        {"static_json": '{"root": "/etc"}'},
        {"static_json": '{"root": "' + "[" * 20 + '"', "x": ""},
        {"project.toml": "[io.wherry.static]\nspa = 1\n"},
    ],
)
def test_settings_that_cannot_be_are_refused_by_the_build_with_the_cause_first(
    app: Path, files: dict[str, str]
) -> None:
    lay(app, index_html="", **files)
    assert detect(app) == (0, "")
    argv = [str(HOME / "bin/build"), str(app.parent), "/platform", "/plan"]
    done = subprocess.run(argv, cwd=app, capture_output=True, text=True, check=False)
    assert done.returncode == 65
    assert done.stdout.startswith(" !     ")
    assert done.stderr == ""


RULES = """
import json, sys
sys.path.insert(0, sys.argv[1])
import conf, settings
from website import Site
try:
    site, tables = settings.read_site({})
    settings.add_rules(site, tables)
    print(conf.http_part(site), conf.server_part(site, "digest"), sep="")
except settings.Refusal as refusal:
    print("\\n".join(refusal.lines))
"""


def conf(app: Path, **files: str) -> str:
    lay(app, index_html="", **files)
    argv = ["python3", "-B", "-I", "-c", RULES, str(HOME / "lib")]
    return subprocess.run(argv, cwd=app, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({}, ["location @rules {\n  return 404;\n}"]),
        ({"_redirects": "/a /b"}, ['  if ($raw ~ "(?s)^/a/?$") { return 301 "/b$is_args$args"; }']),
        ({"_redirects": "/a/ /b?x=1 308"}, ['  if ($raw ~ "(?s)^/a/?$") { return 308 "/b?x=1"; }']),
        ({"_redirects": "/ü$ /$1"}, ['"(?s)^/%C3%BC\\\\$/?$") { return 301 "/${dollar}1$is_args$args"; }']),
        (
            {"_redirects": "/* /index.html 200"},
            ['  rewrite "(?s)^(?:[/\\\\\\\\]+(?<p_splat>.*))?$" "/index.html" break;'],
        ),
        ({"_redirects": "/x/:y /:y/:z"}, ['^/x/(?<p_y>[^/\\\\\\\\]+)/?$") { return 301 "/${p_y}/:z$is_args$args"; }']),
        ({"static_json": '{"https_only": true}'}, ['if ($http_x_forwarded_proto = "http") { return 301 https://']),
        (
            {
                "static_json": '{"redirects": {"/old": {"url": "/new", "status": 302}}, "routes": {"/app/**": "index.html"}}'
            },
            [
                'location / {\n  if ($raw ~ "(?s)^/old/?$") { return 302 "/new$is_args$args"; }',
                '  rewrite "(?s)^/app/.*$" "/index.html" break;',
            ],
        ),
        (
            {"static_json": '{"headers": {"/**": {"X-A": "1"}, "/b/*": {"X-A": "2"}}}'},
            ['  default "";\n  "~(?s)^/b/[^/]*$" "2";\n  "~(?s)^/.*$" "1";', 'add_header "X-A" $header_0 always;'],
        ),
        (
            {"_headers": '/*\n  Link: <a>\n  Link: <b>; x="$"\n'},
            ['"~(?s)^/.*$" "<a>, <b>; x=\\"${dollar}\\"";'],
        ),
    ],
)
def test_headers_and_redirects_become_nginxs_words(app: Path, files: dict[str, str], lines: list[str]) -> None:
    made = conf(app, **files)
    assert [line for line in lines if line not in made] == [], made


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({"_redirects": "# c\n\n/a"}, ["_redirects:3: no path or address to lead to"]),
        ({"_redirects": "/a /b 303"}, ["_redirects:1: status 303 is not taken: have 200, 301, 302, 307, 308, 404"]),
        ({"_redirects": "/a x=:y /b 301"}, ["_redirects:1: conditions (query parameters) are not taken"]),
        ({"_redirects": "/a /b 302 Country=de"}, ["_redirects:1: conditions are not taken: Country=de"]),
        (
            {"_redirects": "/a https://b.example/ 200"},
            ["_redirects:1: another site's pages are not fetched (no proxy)"],
        ),
        ({"_redirects": "/a /nothing 200"}, ["_redirects:1: there is no file /nothing"]),
        ({"_redirects": "/a* /b"}, ["_redirects:1: * stands at the end only, after a slash"]),
        ({"_redirects": "/a/:x https://:x.example/"}, ["_redirects:1: a host cannot be taken from the path"]),
        ({"_redirects": "/a //b.example"}, ["_redirects:1: // names no path of this site"]),
        ({"_redirects": "/a /:splat"}, ["_redirects:1: :splat needs a * in the path"]),
        (
            {"_headers": "/*\n  nothing\n  Set-Cookie: a\n"},
            ["_headers:2: 'nothing' is no header", "_headers:3: the server sets"],
        ),
        ({"_headers": "  A: b\n"}, ["_headers: a header stands before the first path"]),
        ({"_headers": "https://x/*\n"}, ["_headers:1: 'https://x/*' is no path of this site"]),
        ({"static_json": '{"redirects": {"/a": {}}}'}, ["/a: 'url'"]),
        ({"static_json": '{"headers": {"/a": {"X": 1, "Y": "b\\nc"}}}'}, ["/a: Y has no value that can be sent"]),
        (
            {"static_json": '{"proxies": {"/a": {}}}'},
            ["static.json: proxies is not taken", "fetches nothing from other"],
        ),
        ({"static_json": '{"basic_auth": true}'}, ["static.json: basic_auth is not taken"]),
        ({"project.toml": "[io.wherry.static]\nspaa = true\n"}, ["[io.wherry.static] has no spaa"]),
    ],
)
def test_t05_what_cannot_be_taken_is_refused_with_its_line(app: Path, files: dict[str, str], lines: list[str]) -> None:
    said = conf(app, **files)
    assert "location" not in said
    assert [line for line in lines if line not in said] == [], said


@pytest.mark.parametrize(
    ("path", "immutable"),
    [
        ("/assets/index-DiwrgTd4.js", True),
        ("/assets/deep/chunk.B-kH3xY_.css", True),
        ("/main.0a1b2c3d.js", True),
        ("/css/site-0123456789abcdef.css.map", True),
        ("/_next/static/chunks/main.js", True),
        ("/assets/my-component.js", False),
        ("/assets/release-20240101.js", False),
        ("/assets/trip-IMG_1234.jpg", False),
        ("/facade.deadbeef/page.html", False),
        ("/assets/index.js", False),
    ],
)
def test_only_names_that_change_with_their_content_are_kept_for_a_year(path: str, immutable: bool) -> None:
    script = "import sys; sys.path.insert(0, sys.argv[1]); import conf; print(*conf.FINGERPRINTS, sep='\\n')"
    argv = ["python3", "-B", "-I", "-c", script, str(HOME / "lib")]
    patterns = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    assert any(re.search(pattern, path) for pattern in patterns) is immutable


def test_only_text_that_is_worth_it_is_compressed_and_what_the_app_brings_stays(app: Path) -> None:
    lay(
        app,
        **{"big.css": "a" * 5000, "small.css": "a", "photo.png": "a" * 5000, "own.js": "a" * 5000, "own.js.gz": "mine"},
    )
    lay(app, **{".git__x.css": "a" * 5000})
    (app / "out.css").symlink_to("/etc/services")
    script = "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import squeeze; print(squeeze.squeeze(pathlib.Path('.')))"
    argv = ["python3", "-B", "-I", "-c", script, str(HOME / "lib")]
    said = subprocess.run(argv, cwd=app, capture_output=True, text=True, check=True).stdout
    assert said.startswith("(5, 1, ")
    assert sorted(each.name for each in app.rglob("*.gz")) == ["big.css.gz", "own.js.gz"]
    assert gzip.decompress((app / "big.css.gz").read_bytes()) == b"a" * 5000
    assert (app / "own.js.gz").read_text() == "mine"


@pytest.mark.parametrize(
    ("files", "env", "packages"),
    [
        ({"index_html": ""}, {}, ["nginx"]),
        ({"dist__index_html": "", "dist__a.js.br": ""}, {}, ["nginx", "libnginx-mod-http-brotli-static"]),
        ({"site__index_html": "", "site___redirects": "/a /b"}, {"BP_STATIC_ROOT": "site"}, ["nginx"]),
        ({"index_html": "", "_redirects": "/a"}, {}, None),
        ({"index_html": ""}, {"BP_STATIC_ROOT": "../x"}, None),
    ],
)
def test_only_a_site_that_can_be_served_asks_for_nginx(
    app: Path, files: dict[str, str], env: dict[str, str], packages: list[str] | None
) -> None:
    assert detect(lay(app, **files), **env)[0] == 0
    plan = app.parent / "plan.toml"
    asked = tomllib.loads(plan.read_text())["requires"] if plan.exists() else None
    if packages is None:
        assert asked is None
    else:
        assert asked == [{"name": "apt", "metadata": {"packages": packages, "launch": True, "what": "nginx"}}]
