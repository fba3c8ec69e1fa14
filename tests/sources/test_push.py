"""Pushes by a real git, through the transport and the hooks."""

from __future__ import annotations

import tarfile

from wherry.sources.repositories import Repositories

from tests.sources.door import Door, Question
from tests.sources.workshop import Workshop


def test_push_moves_the_branch_and_keeps_its_tree(door: Door, repositories: Repositories, workshop: Workshop) -> None:
    commit = workshop.files({"Procfile": b"web: ./serve\n", "src/app.py": b"print()\n"})
    code, said = workshop.push(door.repository())
    assert code == 0, said
    assert repositories.head(1, "main") == commit
    [source] = door.answer.exported  # type: ignore[attr-defined]
    with tarfile.open(source.archive) as tar:
        assert tar.getnames() == ["Procfile", "src", "src/app.py"]
    assert [question.hook for question in door.asked] == ["pre-receive", "post-receive"]


def test_refused_push_moves_nothing_and_says_why(door: Door, repositories: Repositories, workshop: Workshop) -> None:
    def refuse(question: Question):  # type: ignore[no-untyped-def]
        yield " !     No web process."
        yield 1

    door.answer = refuse
    workshop.files({"a": b"a"})
    code, said = workshop.push(door.repository())
    assert code == 1
    assert "remote:  !     No web process." in said
    assert "pre-receive hook declined" in said
    assert repositories.head(1, "main") is None
