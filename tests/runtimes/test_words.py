"""What the platform says of a process, from the engine's events."""

from __future__ import annotations

from wherry.runtimes.machine import words
from wherry.runtimes.machine.naming import Identity

WHO = Identity("p", 1, 2, "web", 1)


def event(action: str, **attributes: str) -> dict[str, object]:
    return {"Action": action, "Actor": {"Attributes": attributes}, "timeNano": 1}


def test_a_process_that_used_up_its_memory_is_told_by_herokus_code() -> None:
    said, state = words.said(event("oom"), WHO, words.UP, True)
    assert said == ["Error R15 (Memory quota vastly exceeded) -> The kernel stopped one of its programs"]
    assert state == words.UP


def test_one_that_does_not_end_in_time_is_told_by_herokus_code() -> None:
    told, state = words.said(event("kill", signal="15"), WHO, words.UP, True)
    late, _ = words.said(event("kill", signal="9"), WHO, state, True)
    assert told == ["Stopping all processes with SIGTERM"]
    assert late[0].startswith("Error R12 (Exit timeout)")
