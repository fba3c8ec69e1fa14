from pathlib import Path

import pytest
from wherry.builds.export_slices import parts
from wherry.domain.errors import InvalidInput

FILES = ["a.css", "b.js", ".hidden", "dir/x.css", "dir/deep/y.css", "dir2/x.css", "we[ird", "st*r", "é.css", "n\nl"]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to("dir")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("*.css", {"a.css", "é.css"}),
        ("*", {*FILES, "link"}),
        ("./a.css", {"a.css"}),
        ("/a.css", {"a.css"}),
        ("dir/", {"dir/x.css", "dir/deep/y.css"}),
        ("dir/*.css", {"dir/x.css"}),
        ("**/x.css", {"dir/x.css", "dir2/x.css"}),
        ("dir?/x.css", {"dir2/x.css"}),
        ("[a-c].css", {"a.css"}),
        ("[^a-c].css", {"é.css"}),
        ("[!a].css", {"a.css"}),
        ("we\\[ird", {"we[ird"}),
        ("we[[]ird", {"we[ird"}),
        ("st\\*r", {"st*r"}),
        ("n?l", {"n\nl"}),
        ("link/*", set()),
        ("link", {"link"}),
        ("none", set()),
    ],
)
def test_patterns_are_gos(pattern: str, taken: set[str], app: Path) -> None:
    found = parts(app, [[pattern]])
    assert found.rest is not None
    assert {name for name in (*FILES, "link") if not found.rest(name)} == taken
    assert len(found.slices) == (1 if taken else 0)
    for slice_ in found.slices:
        assert {name for name in (*FILES, "link") if slice_(name)} == taken


def test_a_file_is_in_the_first_slice_that_wants_it_only(app: Path) -> None:
    found = parts(app, [["dir/deep/*"], ["dir"], ["dir/x.css"]])
    first, second = found.slices
    assert [first(name) for name in ("dir", "dir/deep", "dir/deep/y.css", "dir/x.css")] == [True, True, True, False]
    assert [second(name) for name in ("dir", "dir/x.css")] == [True, True]
    assert not second("dir/deep/y.css")


def test_without_slices_the_app_is_one(app: Path) -> None:
    assert (parts(app, []).slices, parts(app, []).rest) == ((), None)


@pytest.mark.parametrize("pattern", ["", "/", "..", "../a", "a/../b", "[", "[]", "]", "\\", "[z-a]"])
def test_what_is_no_pattern_in_the_app_is_refused(pattern: str, app: Path) -> None:
    with pytest.raises(InvalidInput):
        parts(app, [[pattern]])
