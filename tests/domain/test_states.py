"""What the log says of processes, read back."""

from __future__ import annotations

from wherry.domain.log import APP, PLATFORM, Kept, LogLine
from wherry.domain.states import Lives, Turn

STARTS, UP, DOWN = "Starting process", "State changed from starting to up", "State changed from up to down"
CRASHES, AGAIN = "State changed from up to crashed", "State changed from crashed to starting"


def read(*lines: tuple[str, str], source: str = PLATFORM) -> list[Turn]:
    lives = Lives()
    kept = [
        Kept(number, LogLine("2026-11-21T15:00:00.123456789Z", source, process, text))
        for number, (process, text) in enumerate(lines, 1)
    ]
    return [turn for each in kept if (turn := lives.turn(each))]


def test_one_that_replaces_another_is_another_life_under_the_same_name() -> None:
    web = [STARTS, UP, STARTS, UP, DOWN, CRASHES, AGAIN, STARTS, UP, DOWN]
    turns = read(*(("web.1", text) for text in web))
    first, second = turns[0].life, turns[2].life
    assert first != second
    assert [(each.verb, each.state, each.life) for each in turns] == [
        ("create", "starting", first),
        ("update", "up", first),
        ("create", "starting", second),
        ("update", "up", second),
        ("destroy", "down", first),
        ("update", "crashed", second),
        ("update", "starting", second),
        ("update", "up", second),
        ("destroy", "down", second),
    ]
    assert len({each.number for each in turns}) == len(turns)


def test_one_whose_beginning_is_not_known_and_a_crashed_one_that_is_gone_confuse_nobody() -> None:
    down, crashed, create, up, destroyed = read(
        *(("web.1", text) for text in (DOWN, CRASHES, STARTS, UP, DOWN)),
    )
    assert (down.verb, crashed.state, create.verb) == ("destroy", "crashed", "create")
    assert create.life == up.life == destroyed.life != crashed.life


def test_what_an_app_writes_and_what_one_offs_and_the_router_do_is_no_turn() -> None:
    assert read(("web.1", CRASHES), source=APP) == []
    others = [("run.4711", CRASHES), ("router", CRASHES), ("web", STARTS), ("web.1", "State changed from x to moon")]
    assert read(*others, ("web.1", f"{UP}!")) == []
