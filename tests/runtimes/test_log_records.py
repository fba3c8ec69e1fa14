from wherry.runtimes.machine.log_records import LONGEST_LINE, records

T1, T2 = b"2026-01-02T03:04:05.000000001Z", b"2026-01-02T03:04:05.000000002Z"


def test_a_frame_is_a_line_with_its_time() -> None:
    found = records([T1 + b" one\n", T2 + b" \n", T2 + b" two words\r\n"])
    assert list(found) == [(T1.decode(), b"one"), (T2.decode(), b""), (T2.decode(), b"two words\r")]


def test_a_long_line_comes_whole_with_the_time_of_its_beginning() -> None:
    found = list(records([T1 + b" " + b"x" * 16384, T1 + b" " + b"y" * 10 + b"\n", T2 + b" next\n"]))
    assert found == [(T1.decode(), b"x" * 16384 + b"y" * 10), (T2.decode(), b"next")]


def test_a_line_that_does_not_end_is_cut_and_the_last_one_is_not_lost() -> None:
    found = [line for _, line in records([T1 + b" " + b"x" * 16384] * 5)]
    assert [len(line) for line in found] == [LONGEST_LINE, 16384]


def test_what_a_process_wrote_last_is_not_joined_with_what_the_next_one_writes() -> None:
    assert list(records([T1 + b" no newline", T2 + b" boots\n"])) == [
        (T1.decode(), b"no newline"),
        (T2.decode(), b"boots"),
    ]
