"""What a buildpack prints, and what its failure says."""

from __future__ import annotations

import pytest
from wherry.builds.output import Output
from wherry.domain.errors import BuildFailure


def printed(*lines: str) -> tuple[Output, list[str]]:
    said: list[str] = []
    output = Output(said.append)
    for line in lines:
        output.line(line.encode())
    return output, said


def test_lines_are_passed_on_at_once_with_control_characters_shown() -> None:
    _, said = printed("-----> one", "\x1b]0;title\x07", "\x1b[32mgreen\x1b[0m", "crlf\r")
    assert said == ["-----> one", "\\x1b]0;title\\x07", "\x1b[32mgreen\x1b[0m", "crlf"]


def test_the_error_block_becomes_the_failure_and_is_not_printed_twice() -> None:
    output, said = printed("-----> one", " !     cause", " !     evidence", " !", " !     do this", " !     and that")
    failure = output.failure("p", 1)
    output.flush()
    assert said == ["-----> one"]
    assert (failure.message, failure.evidence, failure.hint) == ("cause", ("evidence",), "do this and that")
    assert failure.kind is BuildFailure.BUILDPACK_FAILED


def test_a_warning_in_the_middle_keeps_its_place() -> None:
    output, said = printed("one", " !     careful", "two")
    assert said == ["one", " !     careful", "two"]
    assert output.failure("p", 3).message == "the buildpack p failed with exit code 3"


def test_a_warning_at_the_end_of_a_good_build_is_printed() -> None:
    output, said = printed(" !     careful")
    output.flush()
    assert said == [" !     careful"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (65, BuildFailure.BAD_SOURCE),
        (69, BuildFailure.VERSION_NOT_AVAILABLE),
        (75, BuildFailure.NETWORK),
        (1, BuildFailure.BUILDPACK_FAILED),
        (137, BuildFailure.BUILDPACK_FAILED),
    ],
)
def test_exit_codes_of_sysexits_tell_what_kind_of_failure_it_is(code: int, kind: BuildFailure) -> None:
    assert printed(" !     x")[0].failure("p", code).kind is kind


def test_a_buildpack_that_says_nothing_fails_with_its_last_lines() -> None:
    output, _ = printed(*(f"line {number}" for number in range(20)), "", "  ")
    failure = output.failure("p", 1)
    assert failure.evidence == tuple(f"line {number}" for number in range(10, 20))
    assert printed(" !", " !     ")[0].failure("p", 1).message == "the buildpack p failed with exit code 1"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("npm error code ERESOLVE", BuildFailure.DEPENDENCY_CONFLICT),
        ("  x No solution found when resolving dependencies:", BuildFailure.DEPENDENCY_CONFLICT),
        ("ERROR: ResolutionImpossible: for help visit the documentation", BuildFailure.DEPENDENCY_CONFLICT),
        ("npm error network request failed, reason: getaddrinfo ENOTFOUND example.org", BuildFailure.NETWORK),
        ("curl: (6) Could not resolve host: example.org", BuildFailure.NETWORK),
        ("go: example.org/x: dial tcp: lookup example.org: no such host", BuildFailure.NETWORK),
        ("./main.go:7:2: undefined: missing", BuildFailure.COMPILE_ERROR),
        ("error[E0425]: cannot find value `x` in this scope", BuildFailure.COMPILE_ERROR),
        ("[ERROR] /workspace/src/main/java/App.java:[3,5] cannot find symbol", BuildFailure.COMPILE_ERROR),
        ("src/app.ts(3,7): error TS2322: Type 'string' is not assignable", BuildFailure.COMPILE_ERROR),
        ("hello.c:3:5: error: expected ';' before '}' token", BuildFailure.COMPILE_ERROR),
        (
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            BuildFailure.OUT_OF_MEMORY,
        ),
        ("0 errors, 12 warnings", BuildFailure.BUILDPACK_FAILED),
        ("Tests failed: expected 3 to equal 4", BuildFailure.BUILDPACK_FAILED),
    ],
)
def test_the_words_of_common_tools_tell_what_kind_of_failure_it_is(line: str, kind: BuildFailure) -> None:
    output, _ = printed("-----> Working", *(f"step {number}" for number in range(30)), line, "after it", *["end"] * 30)
    failure = output.failure("p", 1)
    assert failure.kind is kind
    if kind is not BuildFailure.BUILDPACK_FAILED:
        assert failure.evidence[:2] == (line.strip(), "after it")


def test_a_buildpacks_own_words_come_first_and_the_tools_lines_stand_below() -> None:
    output, _ = printed("./main.go:7:2: undefined: missing", " !     the app does not compile")
    failure = output.failure("p", 1)
    assert (failure.message, failure.evidence[0]) == ("the app does not compile", "./main.go:7:2: undefined: missing")
    assert failure.kind is BuildFailure.COMPILE_ERROR
