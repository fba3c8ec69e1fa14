import pytest
from wherry.domain.errors import InvalidInput
from wherry.domain.procfile import parse


def problems(content: bytes) -> tuple[str, ...]:
    with pytest.raises(InvalidInput) as caught:
        parse(content)
    return caught.value.evidence


@pytest.mark.parametrize(
    "content",
    [
        b"web: python app.py\nworker: work",
        b"\xef\xbb\xbfweb: python app.py\r\n\r\n# a comment\r\nworker: work\r\n",
        b"\n\n  web:python app.py  \n\tworker:\twork\n",
    ],
)
def test_b11_comments_blank_lines_crlf_bom_and_no_final_newline_are_taken(content: bytes) -> None:
    assert parse(content) == {"web": "python app.py", "worker": "work"}


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# nothing\n"])
def test_b11_an_empty_procfile_has_no_types(content: bytes) -> None:
    assert parse(content) == {}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"web", "no colon"),
        (b": cmd", "not a process type"),
        (b"web:", "has no command"),
        (b"Web_1!: x", "not a process type"),
        (b"web: " + b"x" * 40_000, "longer than"),
    ],
)
def test_b12_a_bad_line_is_refused_with_its_number(line: bytes, fault: str) -> None:
    (problem,) = problems(b"worker: fine\n" + line + b"\n")
    assert problem.startswith("Procfile:2: ")
    assert fault in problem


def test_b12_a_duplicate_and_every_other_fault_are_told_at_once() -> None:
    assert [each.split(" ")[0] for each in problems(b"web: a\nweb: b\nnope\n")] == ["Procfile:2:", "Procfile:3:"]


def test_b12_a_hundred_and_one_types_are_too_many() -> None:
    assert "101 process types" in problems(b"\n".join(b"t%d: x" % number for number in range(101)))[0]


@pytest.mark.parametrize("content", ["web: x".encode("utf-16"), b"web: \0", b"#" * (64 * 1024 + 1)])
def test_b13_what_is_not_a_small_text_file_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"not a regular text file|not UTF-8"):
        parse(content)


def test_b13_a_byte_that_is_not_utf8_is_named_with_its_line() -> None:
    assert problems(b"web: x\nworker: \xff\n") == ("Procfile:2: byte 0xff",)


@pytest.mark.parametrize("command", ["x; rm -rf /", "run $PORT", "echo 'unclosed", "a: b"])
def test_b14_a_command_is_the_shells_to_read_and_stays_as_written(command: str) -> None:
    assert parse(f"web: {command}".encode()) == {"web": command}
