import pytest
from wherry.domain.errors import Conflict, InvalidInput
from wherry.domain.names import RESERVED, app_name

BAD = [
    "",
    "-a",
    "a-",
    "a--b",
    "A",
    "a_b",
    "a.b",
    "a/b",
    "..",
    "a" * 64,
    "a b",
    "a;id",
    "$(id)",
    "`id`",
    "a|b",
    "a&b",
    "a'b",
]


@pytest.mark.parametrize("name", [*BAD, "{a}", "*", "ab", "1ab", "ünder", "a" * 31])
def test_b01_a_name_outside_the_grammar_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="is not a name"):
        app_name(name)


@pytest.mark.parametrize("name", ["app\n", "app\0", "app\r", "\napp", "app\u2028"])
def test_b02_a_name_with_a_control_character_is_refused_and_shown_escaped(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        app_name(name)
    assert name not in caught.value.message


@pytest.mark.parametrize(
    "name", "admin api www git registry portal health kube-system default localhost internal dashboard apps".split()
)
def test_b03_a_reserved_name_is_a_conflict(name: str) -> None:
    with pytest.raises(Conflict, match="reserved"):
        app_name(name)


@pytest.mark.parametrize("value", [None, 7, ["app"], True])
def test_what_is_not_text_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput):
        app_name(value)


@pytest.mark.parametrize("name", ["web", "a1b", "my-app-2", "a" * 30])
def test_good_names_come_back_unchanged(name: str) -> None:
    assert app_name(name) == name


def test_every_reserved_name_is_one_that_could_be_asked_for() -> None:
    assert all(name == name.lower() and " " not in name for name in RESERVED)
