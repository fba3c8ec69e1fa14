"""Config, formation, secrets and text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wherry.domain import config, formation
from wherry.domain.errors import InvalidInput, WherryError
from wherry.domain.formation import SIZES, Scale, parse_change, parse_size, scaled, settled
from wherry.domain.secret import Secret
from wherry.domain.text import log_line, printable


def test_a_change_of_config_sets_and_unsets() -> None:
    before = {"A": Secret("1"), "B": Secret("2")}
    after = config.changed(before, {"A": None, "C": "3", "GONE": None})
    assert {key: value.reveal() for key, value in after.items()} == {"B": "2", "C": "3"}


@pytest.mark.parametrize("key", ["", "1A", "A B", "A=B", "A\nB", "A-B", "a.b", "A" * 129, "Ä", "A\0"])
def test_b06_a_key_outside_the_grammar_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput):
        config.changed({}, {key: "x"})


@pytest.mark.parametrize("key", ["PORT", "CNB_X", "WHERRY_HOME", "KUBERNETES_PORT"])
def test_b07_a_key_of_the_platform_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        config.changed({}, {key: "x"})
    assert "set by the platform" in caught.value.evidence[0]


def test_b10_a_thousand_and_one_keys_are_too_many_and_all_faults_are_told() -> None:
    with pytest.raises(InvalidInput) as caught:
        config.changed({}, {**{f"K{number}": "x" for number in range(1001)}, "9": "x"})
    assert len(caught.value.evidence) == 2
    with pytest.raises(InvalidInput) as caught:
        scaled({"web": Scale(1)}, {"web": (1.5, "tiny")})
    assert len(caught.value.evidence) == 2


@pytest.mark.parametrize("size", ["1Gi", "1g", "-1", "0", "1e400", "999Ti", "NaN", "", 5, None.__class__, ["basic"]])
def test_b43_a_size_that_is_not_in_the_list_is_refused(size: object) -> None:
    with pytest.raises(InvalidInput):
        scaled({"web": Scale(1)}, {"web": (None, size)})


@pytest.mark.parametrize(
    ("text", "parsed"), [("standard-2x", ("", "standard-2x")), ("web=Standard-1X", ("web", "Standard-1X"))]
)
def test_a_change_of_size_is_read(text: str, parsed: tuple[str, str]) -> None:
    assert parse_size(text) == parsed


def test_herokus_names_of_sizes_are_taken_in_any_case() -> None:
    after = scaled({"web": Scale(1)}, {"web": (None, "Standard-2X")})["web"]
    assert (after.size, SIZES[after.size].memory) == ("standard-2x", 1024)


@pytest.mark.parametrize("value", ["a\0b", "x" * (32 * 1024 + 1), "\ud800", 7])
def test_a_value_that_no_process_could_get_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        config.changed({}, {"KEY": value})  # type: ignore[dict-item]


def test_quantities_survive_a_deploy_zero_included() -> None:
    assert settled({"web": Scale(0), "gone": Scale(4)}, ["web", "worker", "release"]) == {
        "web": Scale(0),
        "worker": Scale(0),
    }


def test_a_first_formation_is_one_web() -> None:
    assert formation.default(["worker", "web"]) == {"worker": Scale(0), "web": Scale(1)}


@pytest.mark.parametrize(
    ("text", "parsed"),
    [("web=3", ("web", "3", None)), ("web+1", ("web", "+1", None)), ("w-x-2:large", ("w-x", "-2", "large"))],
)
def test_a_change_of_scale_is_read(text: str, parsed: tuple[str, str, str | None]) -> None:
    assert parse_change(text) == parsed


@pytest.mark.parametrize("text", ["web", "web=", "=3", "web=3x", "web=3:", "web==3", "web=3\n"])
def test_what_is_not_a_change_of_scale_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_change(text)


@pytest.mark.parametrize("quantity", [-1, 1.5, "x", 10**9, True, [], "-3"])
def test_b42_a_quantity_out_of_range_is_refused(quantity: object) -> None:
    with pytest.raises(InvalidInput):
        scaled({"web": Scale(1)}, {"web": (quantity, None)})


def test_b42_every_fault_of_a_scaling_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        scaled({"web": Scale(1)}, {"web": (-1, None), "nope": (1, None)})
    assert len(caught.value.evidence) == 2


def test_relative_quantities_and_sizes_apply() -> None:
    assert scaled({"web": Scale(1)}, {"web": ("+2", "Large")}) == {"web": Scale(3, "large")}


def test_a_secret_never_prints() -> None:
    secret = Secret("hunter2")
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret:>20}", repr({"k": secret})):
        assert "hunter2" not in shown
        assert "[REDACTED]" in shown


@given(st.text())
def test_printable_text_has_no_control_or_bidirectional_character(text: str) -> None:
    shown = printable(text)
    assert not set(shown) & {chr(code) for code in [*range(32), 127, 0x202E, 0x2028, 0x85]}


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert printable("x" * 300, 10) == "x" * 10 + "…"


def test_a_log_line_keeps_colours_and_shows_other_escapes() -> None:
    assert log_line(b"\x1b[31mred\x1b[0m\t\x1b[2Jgone\rback\xff") == "\x1b[31mred\x1b[0m\t\\x1b[2Jgone\\rback\ufffd"


def test_every_error_kind_has_its_own_id() -> None:
    def tree(kind: type[WherryError]) -> list[type[WherryError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in tree(child))]

    ids = [kind.id for kind in tree(WherryError) if "id" in vars(kind)]
    assert len(ids) == len(set(ids))


def test_an_errors_lines_are_message_evidence_and_hint() -> None:
    assert InvalidInput("bad", problems=["one", "two"], hint="do this").lines() == ["bad", "one", "two", "do this"]
