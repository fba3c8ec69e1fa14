"""The static samples, built for real and asked over HTTP."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailed, BuildFailure

from tests.builds.real_world import copy
from tests.builds.yard import SAMPLES, Running, Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

YEAR = "Cache-Control: public, max-age=31536000, immutable"


def head(app: Running, path: str, *options: str) -> list[str]:
    return app.ask(path, "--path-as-is", *options).split("\n\n")[0].split("\n")


def test_headers_redirects_and_compressed_files_are_served_as_the_site_says(yard: Yard, sample: Path) -> None:
    copy("static-rules", sample)
    first = yard.build(sample)
    assert any("3 compressed ahead" in line for line in yard.said), yard.said
    with yard.running(first) as app:
        for path, status, words in ASKED:
            found = head(app, path)
            assert found[0].split()[1] == status, (path, found)
            assert [word for word in words if word not in found] == [], (path, found)
        assert "This page is not here" in app.ask("/nothing")
        assert "First post" in app.ask("/blog/first")
        assert "The app" in app.ask("/app/any/where")
        assert not any(line.startswith("Cache-Control") for line in head(app, "/assets/no.0a1b2c3d4e.js"))
        zipped = head(app, "/assets/my-component.js", "-H", "Accept-Encoding: gzip", "-o", "-", "-I")
        assert "Content-Encoding: gzip" in zipped
        assert "brotli of the test" in app.ask("/assets/brought.js", "-H", "Accept-Encoding: br, gzip")
        for line in head(app, "/old/x%0d%0aX-Evil:1"):
            assert not line.startswith("X-Evil")

    (sample / "public/index.html").write_text("<h1>Changed</h1>\n")
    began = time.monotonic()
    second = yard.build(sample, previous=first)
    print("code-only rebuild", time.monotonic() - began)
    assert any("Unchanged layer wherry/apt:packages" in line for line in yard.said), yard.said
    with yard.running(second) as app:
        assert "Changed" in app.ask()


ASKED: list[tuple[str, str, list[str]]] = [
    ("/", "200", ["X-Frame-Options: DENY", "Content-Security-Policy: default-src 'self' \"x\" $y"]),
    ("/assets/index-DiwrgTd4.js", "200", [YEAR, "Vary: Accept-Encoding", "X-Frame-Options: DENY"]),
    ("/assets/main.0a1b2c3d4e.css", "200", [YEAR]),
    ("/assets/my-component.js", "200", ["Cache-Control: max-age=60"]),
    ("/assets/no.0a1b2c3d4e.js", "404", ["X-Frame-Options: DENY"]),
    ("/.well-known/apple-app-site-association", "200", ["Content-Type: application/json"]),
    ("/old/a/b?q=1", "301", ["Location: /new/a/b?q=1"]),
    ("/old", "301", ["Location: /new/"]),
    ("/user/7/edit", "302", ["Location: /people/7?tab=edit"]),
    ("/away/x/y", "308", ["Location: https://away.example/x/y"]),
    ("/about.html", "301", ["Location: /moved"]),
    ("/gone", "404", []),
    ("/blog/none", "404", []),
    ("/short//evil.example", "307", ["Location: /evil.example"]),
    ("/short/\\evil.example", "307", ["Location: /evil.example"]),
    ("/_redirects", "404", []),
]

BROKEN = [
    (
        "static-bad-rules",
        [
            "_headers cannot be read",
            "_headers:3: 'no header at all' is no header",
            "_headers:4: the server sets Content-Length",
        ],
    ),
    ("static-proxies", ["static.json: proxies is not taken", "Remove proxies from static.json."]),
]


@pytest.mark.parametrize(("name", "words"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_static_sample_says_its_cause_first(yard: Yard, name: str, words: list[str]) -> None:
    with pytest.raises(BuildFailed) as caught:
        yard.build(SAMPLES / name)
    said = "\n".join(caught.value.lines())
    assert caught.value.kind is BuildFailure.BAD_SOURCE
    assert words[0] in said.splitlines()[0]
    assert [word for word in words if word not in said] == []


def test_bad_redirects_are_all_told_at_once(yard: Yard, sample: Path) -> None:
    copy("static-bad-rules", sample)
    (sample / "public/_headers").unlink()
    with pytest.raises(BuildFailed) as caught:
        yard.build(sample)
    said = "\n".join(caught.value.lines())
    assert "_redirects cannot be read" in said.splitlines()[0]
    assert [number for number in range(2, 10) if f"_redirects:{number}: " not in said] == []
    assert "_redirects:1: " not in said
    assert not any("Debian packages" in line for line in yard.said), yard.said
