"""Our words beside git's."""

from __future__ import annotations

from wherry.sources.policy import MIB, Limits
from wherry.sources.sideband import explained

LIMITS = Limits(push=7 * MIB)


def packet(content: bytes) -> bytes:
    return b"%04x%s" % (len(content) + 4, content)


def pieces(whole: bytes, size: int) -> list[bytes]:
    return [whole[start : start + size] for start in range(0, len(whole), size)]


REFUSED = packet(b"\x02fatal: pack exceeds maximum allowed size\n")
REPORT = packet(b"\x01000eunpack no\n") + b"0000"


def test_our_words_follow_gits_however_the_stream_is_cut() -> None:
    whole = packet(b"\x02Resolving deltas") + REFUSED + REPORT
    for size in (1, 3, 4, 7, 50, 10_000):
        said = b"".join(explained(pieces(whole, size), LIMITS))
        ours = said.removeprefix(packet(b"\x02Resolving deltas") + REFUSED).removesuffix(REPORT)
        assert ours[4:].startswith(b"\x02 !     This push is larger than 7 MiB")
        assert int(ours[:4], 16) == len(ours)
        assert ours.endswith(b"\n")


def test_our_words_are_said_once() -> None:
    assert b"".join(explained([REFUSED * 3 + REPORT], LIMITS)).count(b"larger than 7 MiB") == 1


def test_what_an_app_prints_as_packets_content_is_not_split() -> None:
    whole = packet(b"\x020004\x02fatal: hello\n") + packet(b"\x02" + b"x" * 65515) + REPORT
    assert b"".join(explained(pieces(whole, 1000), LIMITS)) == whole


def test_a_stream_that_is_no_packets_goes_through_as_it_is() -> None:
    for whole in (b"", b"zzzz", b"unpack ok\n", b"000", b"ffffabc", b"-001xyz", b" 1_0aaaa"):
        assert b"".join(explained(pieces(whole, 2), LIMITS)) == whole


def test_a_packet_is_passed_on_at_once() -> None:
    def then_fail():  # type: ignore[no-untyped-def]
        yield packet(b"\x02first\n")
        raise AssertionError("asked for more")

    assert next(iter(explained(then_fail(), LIMITS))) == packet(b"\x02first\n")
