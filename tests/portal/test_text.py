"""How things are said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from wherry.domain.model import Event
from wherry.portal import text

NOW = datetime(2025, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(seconds=-9), "just now"),
        (timedelta(seconds=4), "just now"),
        (timedelta(seconds=59), "59 seconds ago"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(hours=25), "1 day ago"),
        (timedelta(days=400), "400 days ago"),
    ],
)
def test_ago_is_said_in_the_largest_whole_unit(before: timedelta, said: str) -> None:
    assert text.ago(NOW - before, NOW) == said


def test_time_is_utc_whatever_zone_it_came_in() -> None:
    moment = datetime.fromisoformat("2025-11-21T07:30:00+05:30")
    assert text.absolute(moment) == "2025-11-21 02:00 UTC"
    assert text.machine(moment) == "2025-11-21T02:00:00Z"


def test_t30_line_of_output_stays_one_line_without_commands_for_a_terminal() -> None:
    raw = b"\x1b[31mred\x1b[0m \x1b]0;title\x07 a\x0bb\xc2\x85c\xe2\x80\xa8d \xff\r"
    assert text.plain(raw) == "red \\x1b]0;title\\x07 a\\x0bb\\x85c\\u2028d \ufffd\\r"


def test_talk_of_a_push_is_told_apart() -> None:
    assert [text.talk(line).kind for line in ("-----> Build", "       done", " !     no")] == ["step", "", "trouble"]


@pytest.mark.parametrize(
    ("action", "before", "after", "said"),
    [
        ("app.create", {}, {"name": "shop"}, "created the app"),
        ("build.cancel", {}, {"build": 7}, "stopped build 7"),
        ("build.create", {}, {"build": 7}, "uploaded build 7"),
        ("buildpacks.change", {}, {"buildpacks": ["a", "b"]}, "set the buildpacks to a, b"),
        ("buildpacks.change", {"buildpacks": ["a"]}, {"buildpacks": []}, "set the buildpacks to what detects"),
        ("app.rename", {"name": "old"}, {"name": "new"}, "renamed old to new"),
        ("push", {}, {"commit": "a" * 40, "branch": "main", "build": 7}, "pushed aaaaaaa to main, build 7"),
        ("config.change", {}, {"set": ["A", "B"], "unset": ["C"]}, "set A, B; unset C"),
        ("config.change", {}, {}, "changed the config"),
        (
            "formation.change",
            {"web": "1:basic", "w": "1:basic"},
            {"web": "2:basic", "w": "1:basic"},
            "scaled web from 1:basic to 2:basic",
        ),
        (
            "autoscaling.enable",
            {"web": "1:basic"},
            {"web": "2 to 5 by cpu 70%"},
            "lets load scale web from 2 to 5 by cpu 70%",
        ),
        (
            "autoscaling.disable",
            {"web": "2 to 5 by cpu 70%"},
            {"web": "3:basic"},
            "stopped scaling by load: web at 3:basic",
        ),
        ("release.create", {}, {"release": "v3", "description": "Deploy\u202e"}, "made v3: Deploy\\u202e"),
        ("release.finish", {}, {"release": "v3", "status": "failed"}, "v3 failed"),
        ("new.kind", {}, {"key": "value", "count": 2}, "new.kind key value, count 2"),
    ],
)
def test_event_is_one_sentence(action: str, before: dict[str, object], after: dict[str, object], said: str) -> None:
    assert text.activity(Event(1, NOW, "ada@example.org", "shop", action, before, after)) == said


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("nothing was scaled", "Nothing was scaled"),
        ("no app 'none-such'", "No app 'none-such'"),
        ("ada@example.org owns shop", "ada@example.org owns shop"),
        ("quiet-cove-48213 has no webhook 4", "quiet-cove-48213 has no webhook 4"),
        ("", ""),
    ],
)
def test_a_sentence_begins_large_but_a_name_stays_as_it_is(message: str, said: str) -> None:
    assert text.sentence(message) == said
