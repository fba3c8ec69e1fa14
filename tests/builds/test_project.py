"""project.toml: what it says, and every fault of it at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from wherry.builds import patterns
from wherry.builds.project import Project, Script, read_project
from wherry.domain.buildpacks import Kind, Reference
from wherry.domain.errors import BuildFailed, BuildFailure

WHOLE = b"""\xef\xbb\xbf[_]\r
schema-version = "0.2"
id = "hello"
[io.buildpacks]
include = ["/src/", "Procfile"]
[[io.buildpacks.group]]
id = "heroku/python"
version = "1.0"
[[io.buildpacks.group]]
uri = "packs/mine.tgz"
[[io.buildpacks.group]]
uri = "urn:cnb:builder:wherry/go"
[[io.buildpacks.pre.group]]
id = "me/script"
[io.buildpacks.pre.group.script]
api = "0.9"
inline = "echo hello"
[[io.buildpacks.post.group]]
[io.buildpacks.post.group.script]
inline = "echo bye"
shell = "/bin/bash -e"
[[io.buildpacks.env.build]]
name = "OLD"
value = "1"
[[io.buildpacks.build.env]]
name = "NEW"
value = "2"
[io.wherry.static]
root = "dist"
[com.example]
anything = 1
"""


def faults(text: str) -> list[str]:
    with pytest.raises(BuildFailed) as caught:
        read_project(text.encode())
    assert caught.value.kind is BuildFailure.BAD_SOURCE
    return list(caught.value.evidence) or [caught.value.message]


def test_a_whole_descriptor_is_read_in_any_spelling_of_its_time() -> None:
    assert read_project(WHOLE) == Project(
        include=("/src/", "Procfile"),
        group=(
            Reference(Kind.ID, "heroku/python", "1.0"),
            Reference(Kind.TARBALL, "packs/mine.tgz"),
            Reference(Kind.ID, "wherry/go"),
        ),
        before=(Script("me/script", "echo hello", api="0.9"),),
        after=(Script("inline/script-1", "echo bye", "/bin/bash -e"),),
        env={"OLD": "1", "NEW": "2"},
    )
    older = b'[build]\nexclude = ["*.md"]\n[[build.buildpacks]]\nid = "a/b"\n[[build.env]]\nname = "A"\nvalue = "b"\n'
    assert read_project(older) == Project(exclude=("*.md",), group=(Reference(Kind.ID, "a/b"),), env={"A": "b"})
    assert read_project(None) == read_project(b"") == Project()


def test_what_the_author_says_of_the_app_is_kept_for_its_image() -> None:
    facts = 'version = "1.2.3"\nsource-url = "https://example.com/shop.git"\nname = "shop"\n'
    for table in ("_", "project"):
        said = read_project(f"[{table}]\n{facts}".encode()).said
        assert said == {"version": "1.2.3", "source": "https://example.com/shop.git"}
    assert faults('[_]\nversion = "1\\n2"\nsource-url = 7') == [
        "_.version: is no line of at most 500 characters",
        "_.source-url: must be a string",
    ]


def test_b15_wrong_types_are_refused_all_at_once_with_their_paths() -> None:
    text = """
    [_]
    schema-version = 2
    [io.buildpacks]
    include = "src"
    exclude = ["a", 1]
    group = "x"
    builder = ["y"]
    pre = 3
    [[io.buildpacks.build.env]]
    name = "lower-case"
    [[io.buildpacks.build.env]]
    name = "PORT"
    value = true
    """
    assert faults(text) == [
        "_.schema-version: must be a string",
        "io.buildpacks.include: must be a list of strings",
        "io.buildpacks.exclude: must be a list of strings",
        "io.buildpacks.builder: must be a string",
        "io.buildpacks.group: must be a list of tables",
        "io.buildpacks.pre: must be a table",
        "io.buildpacks.build.env[0].name: 'lower-case' is not the name of a variable",
        "io.buildpacks.build.env[1].value: must be a string",
        "io.buildpacks.build.env[1].name: PORT is set by the platform",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[_]\nschema-version = "0.9"', "'0.9' is not known here: have 0.1, 0.2"),
        ('[io.buildpacks]\ninclude = ["a"]\nexclude = ["b"]', "only one of them may be there"),
        ("[[io.buildpacks.group]]\nversion = '1'", "io.buildpacks.group[0].id: is missing"),
        ("[[io.buildpacks.group]]\nid = 'a b'", "'a b' is not an id"),
        ("[[io.buildpacks.group]]\nuri = 'file:///etc'", "io.buildpacks.group[0].uri: 'file:///etc' does not name"),
        ("[[io.buildpacks.group]]\n[io.buildpacks.group.script]\ninline = ' '", "script.inline: is missing"),
        ("[[io.buildpacks.group]]\n[io.buildpacks.group.script]\ninline = 'x'\nshell = 'sh'", "script.shell: 'sh'"),
        ("[[io.buildpacks.group]]\nuri = './x'\n[io.buildpacks.group.script]\ninline = 'x'", "stands beside uri"),
        ('[io.buildpacks]\nexclude = ["ok", "!"]', "io.buildpacks.exclude[1]: is not a pattern"),
        ("a = 1\na = 2", "project.toml is not TOML"),
        ("a" + ".a" * 120_000 + " = 1", "a key has more than 50 parts"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("a = " + "9" * 5000, "project.toml is not TOML"),
    ],
)
def test_b15_a_fault_is_named_with_its_place(text: str, words: str) -> None:
    assert words in "\n".join(faults(text))


@pytest.mark.parametrize("field", ["builder", "run-image", "volumes", "network", "build.volumes", "build.run-image"])
def test_t17_b17_what_the_operator_chooses_is_refused_by_its_name(field: str) -> None:
    (problem,) = faults(f'[io.buildpacks]\n{field} = "x/y"\n')
    assert problem.startswith(f"io.buildpacks.{field}: ")
    assert "permitted" in problem


def test_t17_a_builder_that_is_allowed_is_handed_on() -> None:
    assert read_project(b'[io.buildpacks]\nbuilder = "x/y"\n', ["x/y"]).builder == "x/y"


def test_unknown_keys_count_for_nothing_and_are_told() -> None:
    text = b'[io.buildpacks]\ncolour = 1\n[[io.buildpacks.group]]\nid = "a/b"\noptional = true\n'
    assert read_project(text).notices == (
        "io.buildpacks.colour is not known here and counts for nothing.",
        "io.buildpacks.group[0].optional is not known here and counts for nothing.",
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("src/app.py", "src/deep/x.log", "docs/a.md", "docs/keep.md", "Procfile", "a.key"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to("docs")
    return tmp_path


def left(tree: Path) -> list[str]:
    return sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_symlink() or path.is_file())


def test_exclude_leaves_out_as_gitignore_does(tree: Path) -> None:
    assert patterns.keep_only(tree, None, ["docs/*", "!docs/keep.md", "*.key", "**/*.log"]) == 3
    assert left(tree) == ["Procfile", "docs/keep.md", "link", "src/app.py"]
    assert not (tree / "src/deep").exists()


def test_include_keeps_that_and_nothing_else(tree: Path) -> None:
    patterns.keep_only(tree, ["/src/", "Procfile", "link"], None)
    assert left(tree) == ["Procfile", "link", "src/app.py", "src/deep/x.log"]
    patterns.keep_only(tree, [], None)
    assert left(tree) == []


def test_a_pattern_of_many_stars_takes_no_time_and_too_many_are_refused(tree: Path) -> None:
    (tree / ("a" * 250)).write_text("")
    began = time.monotonic()
    patterns.keep_only(tree, None, ["*a" * 40 + "b"])
    assert time.monotonic() - began < 60
    assert patterns.faults(["*"] * 201) == {None: "has 201 patterns; the most is 200"}
    assert patterns.faults(["a", "x" * 129, "[[:alpha:]]", "a\x1bb", "b"]).keys() == {1, 2, 3}
