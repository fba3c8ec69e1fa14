"""One tree out of a repository elsewhere; what git may not do on the way."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailed, BuildFailure, PlatformFault
from wherry.sources import fetch
from wherry.sources.fetch import Trees
from wherry.sources.policy import Limits

from tests.builds.elsewhere_kit import served
from tests.sources.workshop import Workshop


@pytest.fixture
def web(tmp_path: Path, workshop: Workshop) -> Iterator[str]:
    """A server of ``pack.git``: main, and a tag v1 behind it."""
    for number in (1, 2):
        (workshop.folder / "file").write_text(f"number {number}")
        workshop.git("add", "-A")
        workshop.git("commit", "-q", "-m", f"Number {number}")
        if number == 1:
            workshop.git("tag", "-a", "v1", "-m", "The first")
    (tmp_path / "web").mkdir()
    workshop.git("clone", "-q", "--bare", str(workshop.folder), str(tmp_path / "web/pack.git"))
    with served(tmp_path / "web") as (url, _):
        yield f"{url}/pack.git"


def fetched(url: str, ref: str, into: Path) -> str:
    into.mkdir()
    source = Trees().fetch_tree(url, ref, into)
    with tarfile.open(source.archive) as tar:
        file = tar.extractfile("file")
        assert file
        return file.read().decode()


def test_a_tree_is_fetched_by_branch_tag_commit_or_default(web: str, workshop: Workshop, tmp_path: Path) -> None:
    commit = workshop.git("rev-parse", "main")
    told = {ref: fetched(web, ref, tmp_path / f"to-{ref or 'default'}") for ref in ("", "main", "v1", commit)}
    assert told == {"": "number 2", "main": "number 2", "v1": "number 1", commit: "number 2"}


@pytest.mark.parametrize(
    ("url", "ref"),
    [
        ("ext::sh -c id", ""),
        ("file:///etc", ""),
        ("ssh://host/x", ""),
        ("--upload-pack=id", ""),
        ("https://host/x?y", ""),
        ("https://user:password@host/x", ""),
        ("https://host/x", "--upload-pack=id"),
        ("https://host/x", "a..b"),
        ("https://host/x", "a:b"),
    ],
)
def test_t05_t27_what_is_no_plain_url_and_ref_never_reaches_git(url: str, ref: str, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed) as caught:
        Trees().fetch_tree(url, ref, tmp_path)
    assert caught.value.kind is BuildFailure.BAD_SOURCE
    assert list(tmp_path.iterdir()) == []


def test_a_tree_over_the_limits_is_refused_and_a_dead_server_is_the_platforms_fault(web: str, tmp_path: Path) -> None:
    for name in ("small", "dead"):
        (tmp_path / name).mkdir()
    with pytest.raises(BuildFailed):
        Trees(Limits(tree=3)).fetch_tree(web, "main", tmp_path / "small")
    with pytest.raises(PlatformFault):
        Trees().fetch_tree("http://127.0.0.1:9/x.git", "main", tmp_path / "dead")


def test_t19_a_pack_over_the_limit_is_refused_while_it_comes(
    web: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "MOST_PACK", 200)
    (tmp_path / "to").mkdir()
    with pytest.raises(BuildFailed) as caught:
        Trees().fetch_tree(web, "main", tmp_path / "to")
    assert "is larger than" in caught.value.message
