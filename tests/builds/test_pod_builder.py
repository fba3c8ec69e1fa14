"""What the worker makes of a build's pod, with a cluster that says what it is told to."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from wherry.builds.pod_builder import PodBuilder
from wherry.builds.pod_words import GONE
from wherry.domain.build_settings import BuildSettings
from wherry.domain.errors import BuildFailed, BuildFailure, PlatformFault, WherryError
from wherry.domain.model import Source
from wherry.domain.registry_names import Place
from wherry.flow.pod_ports import BuildPod
from wherry.flow.ports import BuildRequest, Cancel, Say
from wherry.logins import FixedLogin
from wherry.settings import Settings

POD = BuildPod(1, 1, 1, "p", "s", "1:1", {}, {})
OOM = BuildFailed(BuildFailure.OUT_OF_MEMORY, "too much")


@dataclass
class Scripted:
    """A BuildPods whose pod says `lines`, and of which the cluster says `verdict`."""

    lines: list[bytes]
    verdict: WherryError | None = None

    def run(self, pod: BuildPod, on_line: Callable[[bytes], bool], say: Say, cancel: Cancel) -> WherryError | None:
        for line in self.lines:
            on_line(line)
        return self.verdict

    def sweep(self, build_id: int, attempt: int) -> None: ...


def builder(pods: Scripted, **settings: str) -> PodBuilder:
    nothing: Any = None
    told = replace(Settings.load({}), **settings)  # type: ignore[arg-type]
    return PodBuilder(pods, nothing, nothing, "http://r", FixedLogin(), Place("r"), "r/p@sha256:1", told)


def failed(name: str, message: str) -> bytes:
    said = {"error": name, "kind": "", "message": message, "evidence": [], "hint": ""}
    return json.dumps({"by": "export", "n": 1, "failed": said}).encode()


def outcome(*lines: bytes, verdict: WherryError | None = None) -> WherryError:
    with pytest.raises(WherryError) as caught:
        builder(Scripted([*lines], verdict))._run(POD, print, Cancel())
    return caught.value


def test_a11_the_clusters_word_counts_where_the_driver_knows_only_that_its_container_is_gone() -> None:
    assert outcome(failed(GONE, "it ended by itself"), verdict=OOM) is OOM
    assert outcome(failed(GONE, "it ended by itself")).message == "it ended by itself"
    assert outcome(failed("platform_fault", "the registry is gone"), verdict=OOM).message == "the registry is gone"
    assert outcome(verdict=OOM) is OOM


def test_a_pod_that_broke_shows_what_it_said() -> None:
    error = outcome(b"Traceback (most recent call last):", b"ModuleNotFoundError: no wherry")
    assert isinstance(error, PlatformFault)
    assert error.evidence[-1] == "ModuleNotFoundError: no wherry"


def test_what_is_built_on_a_machine_only_is_refused_with_what_to_do_instead(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "source.tar", "w"):
        pass
    source = Source("c", "d", str(tmp_path / "source.tar"))
    request = BuildRequest(1, "app", 1, 1, source, {}, None, BuildSettings("container"))
    with pytest.raises(BuildFailed, match="no Dockerfiles") as caught:
        builder(Scripted([])).build(request, print, Cancel())
    assert caught.value.kind is BuildFailure.BAD_SOURCE
    assert "wherry stack:set" in caught.value.hint

    other = f"docker.io/others/builder@sha256:{'a' * 64}"
    request = replace(request, settings=BuildSettings("", ("others/builder",)))
    with pytest.raises(BuildFailed, match="no builder images"):
        builder(Scripted([]), builders=other).build(request, print, Cancel())
