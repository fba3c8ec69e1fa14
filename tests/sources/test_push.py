"""Pushes by a real git, through the transport and the hooks."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from wherry.hook import FOLDER
from wherry.sources.policy import MIB, Limits
from wherry.sources.repositories import Repositories

from tests.sources.door import Door, Judge, Question, accept
from tests.sources.looks import assert_soon, every_ref, leftovers, noise, push_from
from tests.sources.workshop import Workshop


def test_push_moves_the_branch_and_keeps_its_tree(door: Door, repositories: Repositories, workshop: Workshop) -> None:
    commit = workshop.files({"Procfile": b"web: ./serve\n", "src/app.py": b"print()\n"})
    code, said = workshop.push(door.repository())
    assert code == 0, said
    assert repositories.head(1, "main") == commit
    [source] = door.judge.exported
    with tarfile.open(source.archive) as tar:
        assert tar.getnames() == ["Procfile", "src", "src/app.py"]
    assert [question.hook for question in door.asked] == ["pre-receive", "post-receive"]


def test_refused_push_moves_nothing_and_says_why(door: Door, repositories: Repositories, workshop: Workshop) -> None:
    def refuse(question: Question) -> Iterator[str | int]:
        yield " !     No web process."
        yield 1

    door.answer = refuse
    workshop.files({"a": b"a"})
    code, said = workshop.push(door.repository())
    assert code == 1
    assert "remote:  !     No web process." in said
    assert "pre-receive hook declined" in said
    assert repositories.head(1, "main") is None
    assert leftovers(repositories) == []


def test_a_clone_gets_back_what_was_pushed(door: Door, workshop: Workshop, tmp_path: Path) -> None:
    commit = workshop.files({"a": b"a" * 100_000})
    workshop.push(door.repository())
    workshop.git("clone", "--quiet", door.repository(), str(tmp_path / "clone"))
    assert workshop.git("-C", str(tmp_path / "clone"), "rev-parse", "HEAD") == commit
    assert (tmp_path / "clone" / "a").read_bytes() == b"a" * 100_000


def test_a_clone_of_an_app_on_master_checks_it_out(door: Door, workshop: Workshop, tmp_path: Path) -> None:
    workshop.files({"a": b"a"}, "master")
    workshop.push(door.repository(), "master")
    head = door.repositories.path(1) / "HEAD"
    assert_soon(lambda: head.read_text() == "ref: refs/heads/master\n")
    workshop.git("clone", "--quiet", door.repository(), str(tmp_path / "clone"))
    assert (tmp_path / "clone" / "a").read_bytes() == b"a"


@pytest.mark.parametrize("ref", ["refs/notes/commits", "refs/replace/{commit}", "refs/pull/1/head", "refs/custom"])
def test_b20_refs_outside_branches_and_tags_are_refused(door: Door, workshop: Workshop, ref: str) -> None:
    commit = workshop.files({"a": b"a"})
    code, said = workshop.push(door.repository(), f"main:{ref.format(commit=commit)}")
    assert code == 1
    assert "deny updating a hidden ref" in said
    assert "is neither a branch nor a tag" in said
    assert every_ref(door.repositories) == []


def test_b20_tags_are_stored_and_build_nothing(door: Door, workshop: Workshop) -> None:
    workshop.files({"a": b"a"})
    workshop.git("tag", "-m", "one", "v1.0", "main")
    code, said = workshop.push(door.repository(), "v1.0")
    assert code == 0, said
    assert every_ref(door.repositories) == ["refs/tags/v1.0"]
    assert door.judge.exported == []


def test_b21_another_branch_is_stored_and_said_not_to_deploy(door: Door, workshop: Workshop) -> None:
    workshop.files({"a": b"a"}, "topic")
    code, said = workshop.push(door.repository(), "topic")
    assert code == 0
    assert "topic was stored, not deployed: the deploy branch is main." in said
    assert door.judge.exported == []


def test_b22_the_deploy_branch_cannot_be_deleted_and_another_can(door: Door, workshop: Workshop) -> None:
    workshop.files({"a": b"a"})
    workshop.push(door.repository(), "main", "main:topic")
    code, said = workshop.push(door.repository(), ":main")
    assert (code, "main is the deploy branch and cannot be deleted" in said) == (1, True)
    assert workshop.push(door.repository(), ":topic")[0] == 0
    assert every_ref(door.repositories) == ["refs/heads/main"]


def test_b23_a_force_push_deploys_the_other_history(door: Door, workshop: Workshop) -> None:
    workshop.files({"a": b"a"})
    workshop.push(door.repository())
    other = workshop.files({"a": b"b"})
    assert workshop.push(door.repository())[0] == 1
    assert workshop.push(door.repository(), "+main")[0] == 0
    assert door.repositories.head(1, "main") == other


def test_b25_an_empty_tree_is_nothing_to_build(door: Door, workshop: Workshop) -> None:
    workshop.commit(workshop.tree({}))
    code, said = workshop.push(door.repository())
    assert (code, "nothing to build" in said) == (1, True)


def test_b25_a_long_history_is_taken(door: Door, workshop: Workshop) -> None:
    tree = workshop.tree({"a": b"a"})
    stream = b"".join(
        b"commit refs/heads/main\ncommitter A <a@b.c> %d +0000\ndata 1\nx\n%s"
        % (count, b"M 100644 inline a\ndata 1\na\n" if count == 1 else b"")
        for count in range(1, 20_001)
    )
    workshop.git("fast-import", "--quiet", stdin=stream)
    code, said = workshop.push(door.repository())
    assert code == 0, said
    assert door.judge.exported[0].tree == tree


def test_b27_a_push_of_3000_refs_is_refused(door: Door, workshop: Workshop) -> None:
    commit = workshop.files({"a": b"a"})
    workshop.git(
        "update-ref",
        "--stdin",
        stdin=b"".join(b"create refs/heads/x%d %s\n" % (n, commit.encode()) for n in range(3000)),
    )
    code, said = workshop.push(door.repository(), "refs/heads/*:refs/heads/*")
    assert (code, "this push changes 3001 refs; the most is 100" in said) == (1, True)
    assert every_ref(door.repositories) == []


def test_b28_a_branch_below_a_branch_is_gits_error_and_moves_nothing(door: Door, workshop: Workshop) -> None:
    workshop.files({"a": b"a"})
    workshop.push(door.repository())
    code, said = workshop.push(door.repository(), "main:refs/heads/main/x")
    assert (code, "[remote rejected]" in said) == (1, True)
    assert every_ref(door.repositories) == ["refs/heads/main"]


def test_b28_names_that_differ_in_case_only_are_two_files(door: Door, workshop: Workshop) -> None:
    workshop.files({"A": b"1", "a": b"2"})
    assert workshop.push(door.repository())[0] == 0
    with tarfile.open(door.judge.exported[0].archive) as tar:
        assert tar.getnames() == ["A", "a"]


def test_b30_a_shallow_push_is_refused_or_whole(door: Door, workshop: Workshop, tmp_path: Path) -> None:
    first = workshop.files({"a": b"a"})
    workshop.files({"a": b"b"}, "main", first)
    workshop.git("clone", "--quiet", "--depth=1", f"file://{workshop.folder}", str(tmp_path / "shallow"))
    code, said = push_from(workshop, tmp_path / "shallow", door, "main")
    assert (code, "shallow update not allowed" in said) == (1, True)
    assert door.repositories.head(1, "main") is None


def test_b30_mirror_with_hidden_refs_is_refused_as_a_whole(door: Door, workshop: Workshop) -> None:
    commit = workshop.files({"a": b"a"})
    workshop.git("update-ref", "refs/notes/commits", commit)
    code, said = push_from(workshop, workshop.folder, door, "--mirror")
    assert (code, "deny updating a hidden ref" in said) == (1, True)
    assert every_ref(door.repositories) == []


def test_git_itself_refuses_hidden_refs_whatever_the_hook_says(door: Door, workshop: Workshop) -> None:
    door.answer = accept
    commit = workshop.files({"a": b"a"})
    code, said = workshop.push(door.repository(), f"main:refs/replace/{commit}")
    assert (code, "deny updating a hidden ref" in said) == (1, True)
    assert every_ref(door.repositories) == []


def test_b30_an_atomic_push_with_one_bad_ref_moves_nothing(door: Door, workshop: Workshop) -> None:
    workshop.files({"a": b"a"})
    code, _ = push_from(workshop, workshop.folder, door, "--atomic", "main", "main:refs/notes/x")
    assert code == 1
    assert every_ref(door.repositories) == []


@pytest.mark.parametrize(
    "name", ["$(id)", "a;id", "a'b", 'a"b', "<script>", "\u202etxt", "-x", "x" * 200, "`id`", "--upload-pack=x"]
)
def test_b31_hostile_branch_names_are_stored_and_shown_escaped(door: Door, workshop: Workshop, name: str) -> None:
    workshop.files({"a": b"a"})
    code, said = workshop.push(door.repository(), f"main:refs/heads/{name}")
    assert code == 0, said
    assert every_ref(door.repositories) == [f"refs/heads/{name}"]
    remote = "".join(line for line in said.splitlines() if line.startswith("remote:"))
    assert "was stored, not deployed" in remote
    assert "\u202e" not in remote


def test_b32_hostile_commit_texts_are_stored_as_they_are(door: Door, workshop: Workshop) -> None:
    tree = workshop.tree({"a": b"a"})
    raw = b'tree %s\nauthor `b` "$(id)" <e@x> 4070908800 +0000\ncommitter \x1b[31mC <e@x> 0 +0000\n\n%s' % (
        tree.encode(),
        b"\xff\x1b]0;x\x07\r<script>" + b"m" * 1_000_000,
    )
    commit = workshop.git("hash-object", "-w", "-t", "commit", "--stdin", stdin=raw)
    workshop.git("update-ref", "refs/heads/main", commit)
    code, said = workshop.push(door.repository())
    assert code == 0, said
    assert "\x1b" not in said


def test_b39_a_push_over_the_limit_is_refused_in_our_own_words(tmp_path: Path, workshop: Workshop) -> None:
    small = Repositories(tmp_path / "small", FOLDER, Limits(push=MIB))
    small.create(1)
    workshop.files({f"{n}": noise(200_000) for n in range(20)})
    with Door(small, Judge(small)) as door:
        code, said = workshop.push(door.repository())
    assert code == 1
    assert "This push is larger than 1 MiB, the most that is taken at once." in said
    assert "unpacker error" in said
    assert leftovers(small) == []
    assert small.head(1, "main") is None


def test_t07_the_same_commit_exports_the_same_bytes_after_a_replace_ref(door: Door, workshop: Workshop) -> None:
    good = workshop.files({"a": b"good"})
    evil = workshop.files({"a": b"evil"}, None)
    workshop.push(door.repository())
    workshop.push(door.repository(), f"{evil}:refs/heads/topic")
    assert workshop.push(door.repository(), f"{evil}:refs/replace/{good}")[0] == 1
    # As if it had got in by another way:
    workshop.run("--git-dir", str(door.repositories.path(1)), "update-ref", f"refs/replace/{good}", evil, check=True)
    source = door.repositories.export(1, good, None)
    with tarfile.open(source.archive) as tar:
        file = tar.extractfile("a")
        assert file is not None
        assert file.read() == b"good"


def test_old_flaws_of_real_histories_are_taken(door: Door, workshop: Workshop) -> None:
    tree = workshop.tree({"a": b"a"})
    raw = b"tree %s\nauthor A <a@b> 1313584730 +051800\ncommitter A <a@b> 1313584730 +051800\n\nx\n" % tree.encode()
    commit = workshop.git("hash-object", "-w", "-t", "commit", "--literally", "--stdin", stdin=raw)
    workshop.git("update-ref", "refs/heads/main", commit)
    code, said = workshop.push(door.repository())
    assert code == 0, said
