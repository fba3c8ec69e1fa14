"""Archives of others: what they may hold, and how much of it."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from wherry.builds import foreign
from wherry.builds.foreign import unpack_archive
from wherry.domain.errors import BuildFailed, BuildFailure


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(BuildFailed) as caught:
        call()
    assert caught.value.kind is BuildFailure.BAD_SOURCE
    return "\n".join(caught.value.lines())


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, link, size
    return made, b"x" * size


def archive(file: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(file, "w:gz", format=tarfile.GNU_FORMAT) as tar:
        for made, content in entries:
            tar.addfile(made, io.BytesIO(content))
    return file


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (entry("../out", size=1), "is not a path inside its folder"),
        (entry("a/../../out", size=1), "is not a path inside its folder"),
        (entry("/etc/out", size=1), "is not a path inside its folder"),
        (entry("link", tarfile.SYMTYPE, "/etc/passwd"), "is a link that leads out"),
        (entry("link", tarfile.SYMTYPE, "../../etc"), "is a link that leads out"),
        (entry("hard", tarfile.LNKTYPE, "/etc/passwd"), "is neither a file, a folder nor a link"),
        (entry("null", tarfile.CHRTYPE), "is neither a file, a folder nor a link"),
        (entry("disk", tarfile.BLKTYPE), "is neither a file, a folder nor a link"),
        (entry("pipe", tarfile.FIFOTYPE), "is neither a file, a folder nor a link"),
        (entry("n" * 2_000_000, size=1), "a header of"),
    ],
)
def test_t11_an_archive_with_what_is_not_to_be_is_refused(
    tmp_path: Path, made: tuple[tarfile.TarInfo, bytes], words: str
) -> None:
    (tmp_path / "to").mkdir()
    file = archive(tmp_path / "a.tgz", entry("good", size=1), made)
    assert words in refusal(lambda: unpack_archive(file, tmp_path / "to"))
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "to.tar").exists()


def test_t11_a_file_behind_a_link_of_the_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    file = archive(tmp_path / "a.tgz", entry("dir", tarfile.SYMTYPE, ".."), entry("dir/out", size=1))
    assert "stands in the archive twice" in refusal(lambda: unpack_archive(file, tmp_path / "to"))
    assert not (tmp_path / "out").exists()


def test_t11_bombs_are_refused_by_count_by_size_and_before_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "CAPS", foreign.Caps(unpacked=1_000_000, entries=50))
    many = archive(tmp_path / "many.tgz", *(entry(f"f{number}") for number in range(51)))
    sparse = archive(tmp_path / "large.tgz", entry("zeros", size=1_000_001))
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(5_000_000)))
    for place, file in enumerate((many, sparse, tmp_path / "bomb.gz")):
        (tmp_path / f"to{place}").mkdir()
        said = refusal(lambda file=file, place=place: unpack_archive(file, tmp_path / f"to{place}"))  # type: ignore[misc]
        assert "more than 50 entries" in said or "larger than" in said


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08nonsense", b"\x28\xb5\x2f\xfd" * 400, b"nonsense" * 400])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "a.tgz").write_bytes(content)
    assert "the archive cannot be read" in refusal(lambda: unpack_archive(tmp_path / "a.tgz", tmp_path / "to"))
