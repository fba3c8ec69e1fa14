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
