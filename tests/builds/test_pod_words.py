"""What is said in a build's pod, and what the worker makes of it."""

from __future__ import annotations

import json
from dataclasses import replace

from wherry.builds.builder_reading import BuilderImage
from wherry.builds.pod_input import BuilderBase, PodInput, StackBase
from wherry.builds.pod_words import GONE, Listener, Speaker
from wherry.domain.build_settings import BuildSettings
from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled, PlatformFault
from wherry.domain.image import Image
from wherry.domain.model import Source
from wherry.domain.secret import Secret
from wherry.flow.ports import BuildRequest


def quiet(line: str, mark: str = "") -> None: ...


def test_a_log_that_is_read_twice_says_everything_once() -> None:
    written: list[str] = []
    fetch, export = Speaker("fetch", written.append), Speaker("export", written.append)
    fetch.say("fetching")
    fetch.done()
    export.say("-----> Building\u2028\x1b[31m")
    image = Image("apps/1", "sha256:" + "a" * 64, {"web": "run"})
    export.image(image)
    assert all(line.isascii() and "\n" not in line for line in written)

    said: list[str] = []
    marks: list[str] = []

    def say(line: str, mark: str = "") -> None:
        said.append(line)
        marks.append(mark)

    listener = Listener(say)
    last = [listener.hear(line.encode()) for line in [*written[:2], *written[:3], *written]]
    assert said == ["fetching", "-----> Building\u2028\x1b[31m"]
    assert [number for number, each in enumerate(last) if each] == [1, 8]
    assert listener.image == image
    assert listener.failure is None
    assert marks == sorted(set(marks))

    for heard, rest in ((0, 2), (1, 1), (2, 0)):  # as whoever takes over after so many of them
        said.clear()
        later = Listener(say, 1, ["", *marks][heard])
        assert [later.hear(line.encode()) for line in written][-1]
        assert len(said) == rest
        assert later.image == image
    said.clear()
    anew = Listener(say, 2, marks[-1])
    assert [anew.hear(line.encode()) for line in written].count(True) == 2
    assert len(said) == 2
    assert min(marks[-2:]) > marks[1], "an attempt's marks are beyond those of the one before"


def test_errors_arrive_as_what_they_were() -> None:
    errors = [
        BuildFailed(BuildFailure.COMPILE_ERROR, "it does not compile", evidence=["line 1"], hint="mend it"),
        Cancelled("the build was cancelled"),
        PlatformFault("the registry is gone", evidence=["refused"]),
    ]
    for error in errors:
        written: list[str] = []
        Speaker("export", written.append).failed(error)
        listener = Listener(quiet)
        assert listener.hear(written[0].encode())
        assert type(listener.failure) is type(error)
        assert listener.failure
        assert listener.failure.lines() == error.lines()
        assert getattr(listener.failure, "kind", None) == getattr(error, "kind", None)


def test_the_end_of_the_container_beside_is_asked_of_the_cluster() -> None:
    written: list[str] = []
    Speaker("export", written.append).failed(PlatformFault("the build's container ended by itself"), GONE)
    listener = Listener(quiet)
    assert not listener.hear(written[0].encode())
    assert listener.gone


def test_what_is_none_of_our_lines_is_kept_as_evidence_and_lost_lines_are_told() -> None:
    said: list[str] = []
    listener = Listener(lambda line, mark="": said.append(line))
    for strange in (b"Traceback (most recent call last):", b"{}", b"[1]", b'{"by": 1}', b"\xff\x1b[2J"):
        assert not listener.hear(strange)
    assert listener.strange[0] == "Traceback (most recent call last):"
    assert "\x1b" not in "".join(listener.strange)
    listener.hear(b'{"by": "export", "n": 4, "say": "four"}')
    assert said == ["       (3 lines of the log were lost: the node has thrown them away)", "four"]


def test_b08_what_a_pod_is_told_arrives_byte_for_byte_and_does_not_show() -> None:
    config = {"A": Secret("line\n'\"\\ \udcff ż"), "EMPTY": Secret("")}
    source = Source("c" * 40, "d" * 40, "builds/7@sha256:" + "e" * 64)
    request = BuildRequest(7, "sample", 3, 2, source, config, Image("apps/7", "sha256:1"), BuildSettings("", ("x",)))
    told = PodInput(
        request, StackBase("b", "r", 1001, 1000), {"WHERRY_X": "1"}, {"PIP": "2"}, ("http://r", "u", Secret("canary"))
    )
    back = PodInput.load(told.dump())
    assert back.request.source == source
    assert {name: value.reveal() for name, value in back.request.config.items()} == {
        name: value.reveal() for name, value in config.items()
    }
    assert (back.request.previous, back.request.settings) == (request.previous, request.settings)
    assert (back.base, back.settings, back.operator) == (told.base, told.settings, told.operator)
    assert back.registry[2].reveal() == "canary"
    assert "canary" not in repr(told)
    assert json.loads(told.dump())
    builder = BuilderImage("h/b@sha256:1", "h/b", 1002, 1003, {"CNB_USER_ID": "1002"}, "0.14", "h/run:1", "sha256:2")
    other = replace(told, base=BuilderBase(builder, {"GREETING": "\udcff"}))
    assert PodInput.load(other.dump()).base == other.base
