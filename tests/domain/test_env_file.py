"""Files of KEY=value lines, read strictly."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wherry.domain.config import KEY
from wherry.domain.env_file import parse, render
from wherry.domain.errors import InvalidInput

GOOD = b"""\xef\xbb\xbf# a comment
PLAIN=hello
  export INDENTED=yes   # and a word about it
EMPTY=
URL=postgres://u:p@h/db?x=1#part
SINGLE='it is $HOME and `x` "y" \\n'
DOUBLE="line\\none \\"two\\" \\$x \\\\"
LINES='one
# two
three'
MIXED='it'"'"'s'
CR=windows\r
BLANKS='  in  '
"""


def test_each_way_of_writing_is_read() -> None:
    assert parse(GOOD) == {
        "PLAIN": "hello",
        "INDENTED": "yes",
        "EMPTY": "",
        "URL": "postgres://u:p@h/db?x=1#part",
        "SINGLE": 'it is $HOME and `x` "y" \\n',
        "DOUBLE": 'line\none "two" $x \\',
        "LINES": "one\n# two\nthree",
        "MIXED": "it's",
        "CR": "windows",
        "BLANKS": "  in  ",
    }
    assert parse(b"") == {}


def test_every_bad_line_is_named() -> None:
    content = b'GOOD=1\nno equals\n1A=x\nA=two words\nGOOD=2\nB=$HOME\nC=`x`\nD=\\x\nE=#x\nF="$x"\nG="\\q"\nOK=\'fine\'\nH=\'open\n'
    with pytest.raises(InvalidInput) as caught:
        parse(content, "prod.env")
    problems = caught.value.evidence
    assert [each.split(": ")[0] for each in problems] == [
        f"prod.env:{line}" for line in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13)
    ]
    words = ("no KEY", "not a key", "blank", "twice", "$", "`", "\\", "#", "double", "double", "single")
    assert [word in problem for word, problem in zip(words, problems, strict=True)] == [True] * 11, problems


def test_what_is_not_text_is_named_by_its_line() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(b"A=1\nB=\xff\n")
    assert caught.value.evidence == (".env:2: byte 0xff is not UTF-8 text",)
    with pytest.raises(InvalidInput):
        parse(b"A=" + b"x" * (1 << 20))


VALUES = st.dictionaries(
    st.from_regex(KEY, fullmatch=True), st.text(st.characters(codec="utf-8", exclude_characters="\0"))
)


@given(VALUES)
def test_b08_what_is_rendered_is_read_back_byte_for_byte(values: dict[str, str]) -> None:
    assert parse(render(values).encode()) == values


@given(VALUES)
def test_what_a_shell_would_read_is_read_the_same(values: dict[str, str]) -> None:
    """`wherry config -s` writes so."""
    assert parse("".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items()).encode()) == values


@given(st.binary())
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    try:
        found = parse(content)
    except InvalidInput:
        return
    assert parse(render(found).encode()) == found
