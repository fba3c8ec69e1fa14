"""Packages of the distribution, built for real: from an Aptfile and at the wish of another buildpack."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailure

from tests.builds.real_world import copy, failure
from tests.builds.yard import SAMPLES, Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def test_programs_and_libraries_of_an_aptfile_work_in_the_run_image_and_are_fetched_once(
    yard: Yard, sample: Path
) -> None:
    copy("apt-tools", sample)
    first = yard.build(sample)
    assert "-----> Debian packages: jq libsodium23" in yard.said
    with yard.running(first) as app:
        answer = app.ask()
        assert '{"who":"Hello from jq","sum":3}' in answer, app.logs()
        assert "sodium 1." in answer

    server = sample / "server.py"
    server.write_text(server.read_text().replace("Hello from jq", "Changed"))
    began = time.monotonic()
    second = yard.build(sample, previous=first)
    print("code-only rebuild", time.monotonic() - began)
    assert yard.bill(second).keys() >= {"jq", "libsodium23"}
    assert "       jq libsodium23: as before" in yard.said
    assert any("Unchanged layer wherry/apt:packages" in line for line in yard.said), yard.said
    with yard.running(second) as app:
        assert "Changed" in app.ask()

    (sample / "Aptfile").write_text("jq=9.9 libsodium23\n")
    kind, said = failure(yard, sample)
    assert kind is BuildFailure.VERSION_NOT_AVAILABLE
    have = re.search("jq 9.9 is not available here: have ([^ ,\n]+)", said)
    assert have, said
    (sample / "Aptfile").write_text(f"jq={have[1]} libsodium23\n")
    third = yard.build(sample, previous=second)
    with yard.running(third) as app:
        assert "Changed" in app.ask()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "apt-unknown-package",
            [
                "there is no package graphvis in this distribution; like it: graphviz",
                "there is no package no-such-package-anywhere in this distribution",
            ],
        ),
        (
            "apt-bad-lines",
            [
                "the Aptfile has lines that cannot be read",
                "line 2: 'apt-get install jq; id'",
                "line 3: '-o Dir::State=/tmp'",
                "line 5: 'https://example.com/tool.tar.gz'",
                "line 6: ':repo:nothing'",
                "A line is names of packages",
            ],
        ),
    ],
)
def test_an_aptfile_that_cannot_be_followed_says_why(yard: Yard, name: str, words: list[str]) -> None:
    kind, said = failure(yard, SAMPLES / name)
    assert (kind, [word for word in words if word not in said]) == (BuildFailure.BAD_SOURCE, []), said


def test_a_mirror_that_does_not_answer_is_the_network(yard: Yard) -> None:
    kind, said = failure(yard, SAMPLES / "apt-tools", http_proxy="http://127.0.0.1:9/")
    assert kind is BuildFailure.NETWORK
    assert "the lists of Debian packages could not be fetched" in said.split("\n")[0]


def test_a_program_is_compiled_against_a_library_that_is_in_the_run_image_too(yard: Yard, sample: Path) -> None:
    """The link that a -dev package brings leads to a library that lies elsewhere: in the image, or in the layer."""
    pack = sample / "packs/compile"
    (pack / "bin").mkdir(parents=True)
    (pack / "buildpack.toml").write_text('api = "0.10"\n[buildpack]\nid = "app/compile"\nversion = "1"\n')
    (pack / "bin/detect").write_text(
        '#!/bin/sh\nprintf \'[[requires]]\\nname = "apt"\\n[requires.metadata]\\n'
        'packages = ["libsodium-dev", "libssl-dev"]\\n\' >"$2"\n'
    )
    (pack / "bin/build").write_text(
        "#!/bin/sh\nset -eu\nprintf '#include <sodium.h>\\n#include <openssl/crypto.h>\\n#include <stdio.h>\\n"
        'int main() { printf("%%s and %%s", sodium_version_string(), OpenSSL_version(0)); }\\n\' >say.c\n'
        "gcc -o say say.c $(pkg-config --cflags --libs libsodium) -lcrypto\n./say >said\n"
    )
    for name in ("detect", "build"):
        (pack / "bin" / name).chmod(0o755)
    (sample / "Aptfile").write_text("libsodium23\n")
    (sample / "Procfile").write_text("web: ./say | cmp - said && python3 -m http.server $PORT\n")
    (sample / "project.toml").write_text(
        '[_]\nschema-version = "0.2"\n[[io.buildpacks.group]]\nid = "wherry/apt"\n'
        '[[io.buildpacks.group]]\nuri = "./packs/compile"\n[[io.buildpacks.group]]\nid = "wherry/procfile"\n'
    )
    image = yard.build(sample)
    with yard.running(image) as app:
        said = app.ask("/said")
        assert "1.0." in said
        assert "and OpenSSL 3" in said
