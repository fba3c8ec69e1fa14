"""T32: who guesses is made to wait, and locks nobody out."""

from __future__ import annotations

import pytest
from wherry.domain.errors import TooManyTries
from wherry.flow.attempts import FORGOTTEN, FREE, LONGEST, MOST_KNOWN, MOST_PLACES, Attempts


class Hand:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def tries(attempts: Attempts, whence: str, count: int) -> int:
    """How many of so many wrong ones get as far as being looked up."""
    reached = 0
    for number in range(count):
        try:
            attempts.check(whence, f"wrong {number}")
        except TooManyTries:
            continue
        reached += 1
        attempts.failed(whence)
    return reached


def test_t32_of_ten_thousand_guesses_at_once_few_are_looked_up() -> None:
    assert tries(Attempts(Hand()), "192.0.2.1", 10_000) == FREE


def test_the_wait_doubles_up_to_a_minute_and_is_forgotten() -> None:
    hand = Hand()
    attempts = Attempts(hand)
    tries(attempts, "192.0.2.1", FREE)
    waits = []
    for _ in range(9):
        with pytest.raises(TooManyTries) as refused:
            attempts.check("192.0.2.1", "x")
        waits.append(refused.value.retry_after)
        hand.now += refused.value.retry_after
        assert tries(attempts, "192.0.2.1", 5) == 1
    assert waits == [2, 3, 5, 9, 17, 33, 61, 61, 61]
    hand.now += LONGEST + FORGOTTEN + 1
    assert tries(attempts, "192.0.2.1", 100) == FREE


def test_t32_a_guesser_locks_out_neither_other_addresses_nor_who_was_right_before() -> None:
    attempts = Attempts(Hand())
    attempts.passed("owners")
    tries(attempts, "192.0.2.1", 100)
    attempts.check("192.0.2.1", "owners")
    attempts.check("192.0.2.2", "another")
    with pytest.raises(TooManyTries):
        attempts.check("192.0.2.1", "another")


def test_an_ipv6_guesser_has_one_place_and_not_2_to_the_64() -> None:
    attempts = Attempts(Hand())
    assert sum(tries(attempts, f"2001:db8::{number:x}", 1) for number in range(100)) == FREE
    attempts.check("2001:db8:0:1::1", "x")
    tries(attempts, "::ffff:192.0.2.1", FREE)
    with pytest.raises(TooManyTries):
        attempts.check("192.0.2.1", "x")


def test_memory_is_bounded() -> None:
    attempts = Attempts(Hand())
    for number in range(MOST_PLACES + 10):
        attempts.failed(f"place {number}")
    for number in range(MOST_KNOWN + 10):
        attempts.passed(f"digest {number}")
    assert len(attempts._places) == MOST_PLACES
    assert len(attempts._known) == MOST_KNOWN
