"""What the worker makes of a build's pod, with a cluster that says what it is told to."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from wherry.builds.pod_builder import PodBuilder
from wherry.builds.pod_words import GONE, Speaker
from wherry.builds.stacks import Stack
from wherry.domain.build_settings import BuildSettings
from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled, NotFound, PlatformFault, WherryError
from wherry.domain.image import Image
from wherry.domain.model import Source
from wherry.domain.registry_names import Place
from wherry.flow.pod_ports import Away, BuildPod, Caps, Ears
from wherry.flow.ports import BuildRequest, Cancel, Say
from wherry.logins import FixedLogin
from wherry.settings import Settings

OOM = BuildFailed(BuildFailure.OUT_OF_MEMORY, "too much")
REQUEST = BuildRequest(1, "app", 3, 1, Source("c" * 40, "d" * 40, "source.tar"), {}, None)


@dataclass
class Scripted:
    """A BuildPods whose pod says `lines`, and of which the cluster says `verdict`, or raises it. `there`: attempts whose
    pods are there.
    """

    lines: list[bytes]
    verdict: WherryError | None = None
    raised: WherryError | None = None
    there: list[int] = field(default_factory=list)
    followed: list[int] = field(default_factory=list)
    swept: list[bool] = field(default_factory=list)
    """Whether each sweep waited."""

    def begin(self, pod: BuildPod) -> None:
        self.there.append(pod.attempt)

    def left(self, build_id: int) -> int | None:
        return max(self.there, default=None)

    def follow(self, build_id: int, attempt: int, caps: Caps, ears: Ears) -> WherryError | None:
        self.followed.append(attempt)
        for line in self.lines:
            ears.line(line)
        if self.raised:
            raise self.raised
        return self.verdict

    def sweep(self, build_id: int, *, wait: bool = False) -> None:
        self.there.clear()
        self.swept.append(wait)


@dataclass
class Tagged:
    """Of a registry only the source's tag."""

    tagged: list[str] = field(default_factory=lambda: ["sha256:1"])

    def manifest(self, repository: str, reference: str) -> Any:
        if not self.tagged:
            raise NotFound("no such tag")
        return SimpleNamespace(digest=self.tagged[0])

    def delete_manifest(self, repository: str, digest: str) -> None:
        self.tagged.remove(digest)


class NoStack:
    """A build that begins anew asks for its stack first."""

    def ensure(self, say: Say) -> Stack:
        raise PlatformFault("it begins anew")

    def known(self) -> None: ...


def quiet(line: str, mark: str = "") -> None: ...


def builder(pods: Scripted, **settings: str) -> PodBuilder:
    told = replace(Settings.load({}), **settings)  # type: ignore[arg-type]
    registry: Any = Tagged()
    return PodBuilder(pods, NoStack(), registry, "http://r", FixedLogin(), Place("r"), "r/p@sha256:1", told)


def failed(name: str, message: str) -> bytes:
    said = {"error": name, "kind": "", "message": message, "evidence": [], "hint": ""}
    return json.dumps({"by": "export", "n": 1, "failed": said}).encode()


def outcome(*lines: bytes, verdict: WherryError | None = None) -> WherryError:
    with pytest.raises(WherryError) as caught:
        builder(Scripted([*lines], verdict))._followed(REQUEST, 1, quiet, Cancel(), Cancel())
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
        builder(Scripted([])).build(request, quiet, Cancel())
    assert caught.value.kind is BuildFailure.BAD_SOURCE
    assert "wherry stack:set" in caught.value.hint


def test_a09_the_next_attempt_goes_on_with_the_pod_of_the_one_before() -> None:
    written: list[str] = []
    export = Speaker("export", written.append)
    export.say("one")
    export.say("two")
    image = Image("apps/1", "sha256:" + "a" * 64, {"web": "run"})
    export.image(image)
    pods, said = Scripted([line.encode() for line in written], there=[1, 2]), list[str]()
    made, leave = builder(pods), Cancel()
    request = replace(REQUEST, attempt=3, heard="000002/1/000000001")
    assert made.build(request, lambda line, mark="": said.append(line), Cancel(), leave) == image
    assert (pods.followed, pods.there) == ([2], [1, 2]), "what is there stays until the verdict stands"
    assert [line.strip() for line in said] == ["The build goes on; a new worker of the platform follows it", "two"]
    assert made.registry.tagged == []  # type: ignore[attr-defined]
    made.sweep(REQUEST.build_id)
    assert pods.there == []


@pytest.mark.parametrize("raised", [Away("the cluster does not answer"), Cancelled("left")])
def test_a09_a_pod_that_may_go_on_stays_with_its_source(raised: WherryError) -> None:
    pods, leave = Scripted([], raised=raised, there=[1]), Cancel()
    made = builder(pods)
    if isinstance(raised, Cancelled):
        leave.cancel()
    with pytest.raises(type(raised)):
        made.build(replace(REQUEST, attempt=2), quiet, Cancel(), leave)
    assert (pods.there, made.registry.tagged) == ([1], ["sha256:1"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("there", [[], [1]])
def test_a09_a_build_begins_anew_where_nothing_is_left_or_what_is_left_failed_for_our_sake(there: list[int]) -> None:
    pods = Scripted([failed("platform_fault", "the registry is gone")], there=[*there])
    said: list[str] = []
    with pytest.raises(PlatformFault, match="begins anew"):
        builder(pods).build(replace(REQUEST, attempt=2), lambda line, mark="": said.append(line), Cancel())
    assert (pods.followed, pods.there) == (there, [])
    assert pods.swept == ([False, True] if there else [True]), "what failed goes at once, before the next one waits"
    assert said[-1] == "-----> Building again"
    assert (" !     the registry is gone" in said) == bool(there)
