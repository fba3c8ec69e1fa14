"""Classic buildpacks in an app, run by real builds; the image answers as an app does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailed, BuildFailure

from tests.builds.real_world import copy
from tests.builds.yard import SAMPLES, Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def test_a_classic_buildpack_builds_the_app_keeps_its_cache_and_sets_up_its_processes(yard: Yard, sample: Path) -> None:
    copy("classic-tiny", sample)
    (sample / "requirements.txt").write_text("not-asked-for-either\n")
    first = yard.build(sample, SHOUT="loud")
    assert "-----> Tiny was built 0 times before" in yard.said
    assert "       SHOUT is loud, exported not" in yard.said
    assert dict(first.processes) == {"web": "tiny-server", "worker": 'echo "never asked for"'}
    with yard.running(first, SHOUT="louder") as app:
        assert json.loads(app.ask().split("\n\n", 1)[1]) == {
            "GREETING": "Hello from a classic buildpack",
            "SHOUT": "louder",
            "HOME": "/workspace",
            "TINY_HOME": "/workspace",
            "TINY_WORDS": 'two\nlines "quoted"',
        }

    (sample / "Procfile").write_text("web: GREETING=Procfile tiny-server\n")
    second = yard.build(sample, previous=first)
    assert "-----> Tiny was built 1 times before" in yard.said
    assert "       SHOUT is unset, exported not" in yard.said
    assert second.processes["web"] == "GREETING=Procfile tiny-server"
    with yard.running(second) as app:
        assert '"GREETING": "Procfile", "SHOUT": "quiet"' in app.ask()


def test_a_failing_compile_says_its_own_words(yard: Yard) -> None:
    with pytest.raises(BuildFailed) as caught:
        yard.build(SAMPLES / "classic-fails")
    assert caught.value.kind is BuildFailure.BUILDPACK_FAILED
    said = "\n".join(caught.value.lines())
    assert "tiny.txt asks for version 9, which was never made" in said.splitlines()[0]
    assert "bin/compile ended with exit code 7" in said
