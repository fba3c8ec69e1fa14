"""What a build gets: the tree itself, as one archive."""

from __future__ import annotations

import hashlib
import os
import tarfile
import time
from pathlib import Path

import pytest
from wherry.domain.errors import PlatformFault, PushRefused
from wherry.hook import FOLDER
from wherry.sources import export
from wherry.sources.policy import Limits
from wherry.sources.repositories import Repositories

from tests.sources.workshop import Workshop

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"
MISSING = "12" * 20


def contents(archive: str) -> dict[str, bytes | str]:
    """path → bytes of a file, text of a link, "/" for a folder."""
    with tarfile.open(archive) as tar:
        read = {}
        for member in tar:
            file = tar.extractfile(member) if member.isreg() else None
            read[member.name] = file.read() if file else member.linkname or "/"
        return read


def test_the_archive_is_the_tree_byte_for_byte(repositories: Repositories, inside: Workshop) -> None:
    long = "/".join(["a" * 100] * 5)
    files = {"Procfile": b"web: x\n", "empty": b"", "bin/run": b"#!", "ünï/¬": b"\0" * 512, long: os.urandom(300_000)}
    commit = inside.files(files)
    source = repositories.export(1, commit, None)
    read = contents(source.archive)
    assert {path: data for path, data in read.items() if data != "/"} == files
    assert (source.commit, source.tree) == (commit, inside.git("rev-parse", f"{commit}^{{tree}}"))
    assert source.remarks == ()


def test_the_archive_depends_on_the_tree_alone(repositories: Repositories, inside: Workshop) -> None:
    tree = inside.tree({"a": b"a", "b": ("120000", inside.blob(b"a"))})
    first = repositories.export(1, inside.commit(tree), None)
    digest = hashlib.sha256(Path(first.archive).read_bytes()).hexdigest()
    Path(first.archive).unlink()
    second = repositories.export(1, inside.commit(tree, "other", first.commit), None)
    assert second.archive == first.archive
    assert hashlib.sha256(Path(second.archive).read_bytes()).hexdigest() == digest
    with tarfile.open(second.archive) as tar:
        assert {(each.mtime, each.uid, each.gid, each.uname) for each in tar} == {(315532801, 0, 0, "")}


def test_an_archive_that_is_there_is_used_again(repositories: Repositories, inside: Workshop) -> None:
    commit = inside.files({"a": b"a"})
    archive = Path(repositories.export(1, commit, None).archive)
    made = archive.stat().st_ino
    repositories.export(1, commit, None)
    assert archive.stat().st_ino == made


def test_old_archives_go_and_fresh_ones_stay(repositories: Repositories, inside: Workshop) -> None:
    archives = [Path(repositories.export(1, inside.files({"a": b"%d" % n}), None).archive) for n in range(6)]
    assert all(path.exists() for path in archives)
    long_ago = time.time() - export.KEEP_SECONDS - 1
    for path in archives:
        os.utime(path, (long_ago, long_ago))
    (archives[0].parent / "gone.tar").symlink_to("nowhere")  # as one that another push removes just then
    repositories.export(1, inside.files({"a": b"last"}), None)
    assert sum(path.exists() for path in archives) == export.KEEP - 1


def test_b37_modes_are_the_three_that_git_knows(repositories: Repositories, inside: Workshop) -> None:
    blob = inside.blob(b"x")
    modes = {"a": "100644", "b": "100755", "c": "100664", "d": "104755", "e": "100600"}
    commit = inside.commit(inside.tree({name: (mode, blob) for name, mode in modes.items()}))
    with tarfile.open(repositories.export(1, commit, None).archive) as tar:
        assert {each.name: oct(each.mode) for each in tar} == {
            "a": "0o644", "b": "0o755", "c": "0o644", "d": "0o755", "e": "0o644"
        }  # fmt: skip


def test_b34_b37_submodules_are_left_out_and_said(repositories: Repositories, inside: Workshop) -> None:
    modules = b'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c id\n'
    entries = {".gitmodules": modules, "a": b"a", "x\u202e": ("160000", MISSING), "y": ("060000", MISSING)}
    source = repositories.export(1, inside.commit(inside.tree(entries)), None)
    assert sorted(contents(source.archive)) == [".gitmodules", "a"]
    assert source.remarks == (
        "x\\u202e is a submodule: not fetched, and not part of the build.",
        "y is a submodule: not fetched, and not part of the build.",
    )


def test_many_submodules_are_said_in_few_lines(repositories: Repositories, inside: Workshop) -> None:
    entries = {"a": b"a", **{f"s{n}": ("160000", MISSING) for n in range(9)}}
    source = repositories.export(1, inside.commit(inside.tree(entries)), None)
    assert source.remarks[-1] == "… and 4 more"
    assert len(source.remarks) == 6


def test_b35_lfs_pointers_are_refused_with_help(repositories: Repositories, inside: Workshop) -> None:
    with pytest.raises(PushRefused, match="Git LFS pointers") as caught:
        repositories.export(1, inside.files({"model.bin": POINTER, "a": b"a"}), None)
    assert caught.value.evidence == ("model.bin",)
    assert "git lfs migrate export" in caught.value.hint
    assert list(repositories.folder.glob("1.trees/*")) == []


def test_b35_a_text_about_lfs_is_a_file(repositories: Repositories, inside: Workshop) -> None:
    repositories.export(1, inside.files({"a": POINTER + b"and more\n"}), None)


def test_b40_gitattributes_change_nothing(repositories: Repositories, inside: Workshop) -> None:
    files = {
        ".gitattributes": b"Procfile export-ignore\na export-subst ident text eol=crlf filter=x\n",
        "Procfile": b"web: x\n",
        "a": b"$Format:%H$ $Id$\n",
    }
    assert contents(repositories.export(1, inside.files(files), None).archive) == files


@pytest.mark.parametrize("target", ["b", "./b", "d/../b", "nowhere", "d/e", "self", "d/up/b", "d/up/d/up/b"])
def test_t10_links_that_stay_inside_are_kept(repositories: Repositories, inside: Workshop, target: str) -> None:
    folder = inside.tree({"e": b"e", "up": ("120000", inside.blob(b".."))})
    entries = {"b": b"b", "d": ("40000", folder), "self": ("120000", inside.blob(target.encode()))}
    commit = inside.commit(inside.tree(entries))
    assert contents(repositories.export(1, commit, None).archive)["self"] == target


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "..", "../x", "d/../../x", "d/up/../x", "x/../../y", "d/out", "./.././b"]
)
def test_t10_links_that_lead_out_are_refused(repositories: Repositories, inside: Workshop, target: str) -> None:
    links = {"up": ("120000", inside.blob(b"..")), "out": ("120000", inside.blob(b"/root"))}
    folder = inside.tree({"up": links["up"]} if "out" not in target else {"out": links["out"]})
    commit = inside.commit(inside.tree({"d": ("40000", folder), "self": ("120000", inside.blob(target.encode()))}))
    with pytest.raises(PushRefused, match="leads out of the tree"):
        repositories.export(1, commit, None)


@pytest.mark.parametrize("text", [b"", b"x" * 4096, b"a\0b", b"\xff"])
def test_t10_a_links_text_that_is_no_path_is_refused(repositories: Repositories, inside: Workshop, text: bytes) -> None:
    with pytest.raises(PushRefused, match="the symbolic link l "):
        repositories.export(1, inside.commit(inside.tree({"l": ("120000", inside.blob(text))})), None)


@pytest.mark.parametrize(
    "name",
    [b".git", b".GIT", b".", b"..", b"a\nb", b"a\x1b[31m", b"a\\b", b"\xff\xfe", b"x" * 256, b"x" * 5000, b"\x7f"],
)
def test_b33_b38_names_that_cannot_be_files_are_refused_and_shown_escaped(
    repositories: Repositories, inside: Workshop, name: bytes
) -> None:
    with pytest.raises(PushRefused) as caught:
        repositories.export(1, inside.commit(inside.tree({name: b"x"})), None)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400
    assert list(repositories.folder.glob("1.trees/*")) == []


@pytest.mark.parametrize("name", ["CON", "a.", " a ", "-x", "a:b", "naïve", "$(id)", "x" * 255])
def test_b38_names_that_only_trouble_other_systems_are_kept(
    repositories: Repositories, inside: Workshop, name: str
) -> None:
    commit = inside.commit(inside.tree({name: b"x"}))
    assert contents(repositories.export(1, commit, None).archive) == {name: b"x"}


def test_two_entries_of_one_name_are_refused(repositories: Repositories, inside: Workshop) -> None:
    folder = inside.tree({"x": b"x"})
    link = inside.blob(b"b")
    raw = b"120000 a\0" + bytes.fromhex(link) + b"40000 a\0" + bytes.fromhex(folder)
    tree = inside.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=raw)
    with pytest.raises(PushRefused, match="two entries named a"):
        repositories.export(1, inside.commit(tree), None)


def nested(inside: Workshop, levels: int, width: int = 1) -> str:
    tree = inside.tree({"f": b"x"})
    for _ in range(levels):
        tree = inside.tree({f"d{n}": ("40000", tree) for n in range(width)})
    return tree


def test_b38_a_tree_of_200_levels_is_taken_and_of_201_refused(repositories: Repositories, inside: Workshop) -> None:
    repositories.export(1, inside.commit(nested(inside, 199)), None)
    with pytest.raises(PushRefused, match="more than 200 folders deep"):
        repositories.export(1, inside.commit(nested(inside, 200)), None)


def test_t10_b39_a_tree_bomb_is_refused_in_two_seconds(repositories: Repositories, inside: Workshop) -> None:
    commit = inside.commit(nested(inside, 7, 10))
    before = sum(os.times()[:4])
    with pytest.raises(PushRefused, match="more than 100000 files and folders"):
        repositories.export(1, commit, None)
    assert sum(os.times()[:4]) - before < 2, "seconds of CPU, git's included"


def test_t10_a_bomb_of_empty_folders_is_refused(repositories: Repositories, inside: Workshop) -> None:
    tree = inside.tree({})
    for _ in range(6):
        tree = inside.tree({f"d{n}": ("40000", tree) for n in range(10)})
    with pytest.raises(PushRefused, match="more than 100000 files and folders"):
        repositories.export(1, inside.commit(tree), None)


def test_b39_a_tree_over_its_bytes_is_refused_before_a_file_is_read(tmp_path: Path) -> None:
    small = Repositories(tmp_path, FOLDER, Limits(tree=1024 * 1024))
    small.create(1)
    inside = Workshop(small.path(1))
    commit = inside.files({"a": bytes(600_000), "b": bytes(600_000)})
    with pytest.raises(PushRefused, match="larger than 1 MiB"):
        small.export(1, commit, None)
    assert list(tmp_path.glob("1.trees")) == []


def test_10001_links_are_refused(repositories: Repositories, inside: Workshop) -> None:
    link = ("120000", inside.blob(b"x"))
    with pytest.raises(PushRefused, match="symbolic links"):
        repositories.export(1, inside.commit(inside.tree({f"l{n:05}": link for n in range(10_001)})), None)


def test_a_commit_that_is_not_there_is_refused(repositories: Repositories, inside: Workshop) -> None:
    with pytest.raises(PushRefused, match="1212121 is not in this repository"):
        repositories.export(1, MISSING, None)


@pytest.mark.parametrize("commit", ["main", "--help", "HEAD\n", MISSING + "\n", MISSING.upper().replace("1", "A"), ""])
def test_a_name_in_place_of_a_commits_id_is_refused(repositories: Repositories, commit: str) -> None:
    with pytest.raises(PushRefused, match="is not the id of a commit"):
        repositories.export(1, commit, None)


def test_a_tag_object_on_a_branch_is_refused(repositories: Repositories, inside: Workshop) -> None:
    inside.files({"a": b"a"})
    inside.git("tag", "-m", "x", "v1", "main")
    with pytest.raises(PushRefused, match="is a tag, not a commit"):
        repositories.export(1, inside.git("rev-parse", "v1"), None)


def test_a_quarantine_elsewhere_is_refused(repositories: Repositories, inside: Workshop, tmp_path: Path) -> None:
    commit = inside.files({"a": b"a"})
    elsewhere = tmp_path / "tmp_objdir-incoming-x"
    elsewhere.mkdir()
    objects = repositories.path(1) / "objects"
    for folder in (elsewhere, objects, objects / "pack", objects / "tmp_objdir-none", Path("/")):
        with pytest.raises(PushRefused, match="not where git keeps them"):
            repositories.export(1, commit, folder)
    (objects / "tmp_objdir-link").symlink_to(elsewhere)
    with pytest.raises(PushRefused, match="not where git keeps them"):
        repositories.export(1, commit, objects / "tmp_objdir-link")


def test_a_damaged_repository_is_our_fault_with_gits_words(repositories: Repositories, inside: Workshop) -> None:
    commit = inside.files({"a": b"some content"})
    blob = inside.git("rev-parse", f"{commit}:a")
    path = repositories.path(1) / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(b"damage")
    with pytest.raises(PlatformFault) as caught:
        repositories.export(1, commit, None)
    assert caught.value.evidence[0].startswith("$ git --git-dir=")
    assert "\n".join(caught.value.evidence).count(blob)
    assert list(repositories.folder.glob("1.trees/*")) == []


def test_a_full_disk_is_our_fault(
    repositories: Repositories, inside: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = inside.files({"a": b"a"})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PlatformFault, match="No space left on device"):
        repositories.export(1, commit, None)
    assert list(repositories.folder.glob("1.trees/*")) == []


def test_b13_an_app_json_that_is_no_regular_small_file_is_refused(repositories: Repositories, inside: Workshop) -> None:
    link = inside.commit(inside.tree({"app.json": ("120000", inside.blob(b"a")), "a": b"{}"}))
    large = inside.files({"app.json": b" " * 300_000})
    for commit in (link, large):
        with pytest.raises(PushRefused, match=r"app\.json is not a regular file of at most 256 KiB"):
            repositories.export(1, commit, None)


def test_what_an_app_json_says_in_vain_is_a_remark(repositories: Repositories, inside: Workshop) -> None:
    source = repositories.export(1, inside.files({"app.json": b'{"addons": ["redis"]}'}), None)
    assert source.remarks == ("app.json: addons does nothing here: there are no add-ons here",)


@pytest.mark.parametrize("schedule", ["61 * * * *", "* * 30 2 *", "* * * * MOX", "*/0 * * * *", "5-1 * * * *"])
def test_a_schedule_that_is_never_due_refuses_the_push(
    repositories: Repositories, inside: Workshop, schedule: str
) -> None:
    content = b'{"cron": [{"command": "a", "schedule": "* * * * *"}, {"command": "b", "schedule": "%s"}]}'
    with pytest.raises(PushRefused) as caught:
        repositories.export(1, inside.files({"app.json": content % schedule.encode()}), None)
    assert len(caught.value.evidence) == 1
    assert caught.value.evidence[0].startswith("app.json: cron[1].schedule: ")
