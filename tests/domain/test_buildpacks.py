"""How a buildpack is named, where it may come from, and the list that an app keeps."""

from __future__ import annotations

import pytest
from wherry.domain import buildpack_list
from wherry.domain.buildpacks import Kind, Reference, allowed, checked, reference, source_prefix
from wherry.domain.errors import Conflict, InvalidInput, NotFound

SHA = "a" * 64


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("wherry/python", Reference(Kind.ID, "wherry/python")),
        ("wherry/python@1.2.0", Reference(Kind.ID, "wherry/python", "1.2.0")),
        ("urn:cnb:builder:wherry/go@1", Reference(Kind.ID, "wherry/go", "1")),
        ("urn:buildpack:heroku/python", Reference(Kind.ID, "heroku/python")),
        ("https://code.example/heroku/heroku-buildpack-nodejs.git", Reference(Kind.ID, "heroku/nodejs")),
        ("https://buildpack-registry.example/buildpacks/heroku/ruby.tgz", Reference(Kind.ID, "heroku/ruby")),
        ("./packs/mine", Reference(Kind.FOLDER, "packs/mine")),
        ("./mine.tar.gz", Reference(Kind.TARBALL, "mine.tar.gz")),
        ("./mine.cnb", Reference(Kind.PACKAGE, "mine.cnb")),
        (
            f"https://h.example:8443/a/b.tgz#sha256={SHA}",
            Reference(Kind.TARBALL, "https://h.example:8443/a/b.tgz", "", f"sha256:{SHA}"),
        ),
        ("https://h.example/a/b.git#v1.2", Reference(Kind.GIT, "https://h.example/a/b.git", "v1.2")),
        ("https://h.example/a/b", Reference(Kind.GIT, "https://h.example/a/b")),
        (f"docker://r.example/a/b@sha256:{SHA}", Reference(Kind.IMAGE, "r.example/a/b", "", f"sha256:{SHA}")),
        ("docker:///buildpacks/a:v1", Reference(Kind.IMAGE, "/buildpacks/a", "v1")),
    ],
)
def test_a_reference_reads_and_writes_itself(text: str, found: Reference) -> None:
    assert reference(text) == found
    assert reference(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "a b",
            "-x",
            "/etc",
            "../x",
            "./../x",
            "./a/../b",
            "./.git",
            "./a//b",
            "a/../b",
            "wherry/python@",
            7,
            None,
        ),
        *(
            "file:///etc/passwd",
            "ssh://h/x",
            "git@h:x/y",
            "ext::sh -c id",
            "https://",
            "https://h",
            "https://u:p@h/x.git",
        ),
        *(
            "https://h/x.git?a=b",
            "https://h/%2e%2e/x",
            "https://h/../x",
            "https://h\\@e/x",
            "https://H/x",
            "HTTPS://h/x",
        ),
        *("https://h/x.git#--upload-pack=id", "https://h/x.git#", "https://h/x.git#a..b", "https://h/x.tgz"),
        *(
            "https://h/x.tgz#sha256=ab",
            "docker://r.example/a",
            "docker://r.example/a:1",
            "docker:///apps/1",
            "docker://",
        ),
        *("urn:cnb:registry:a/b", "a\nb", "a\0b", "wherry/pythön", "x" * 501),
    ],
)
def test_what_is_outside_the_grammar_is_refused(text: object) -> None:
    with pytest.raises(InvalidInput, match="does not name a buildpack"):
        reference(text)


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("https://h.example/team/a.git", True),
        ("https://h.example/team", True),
        ("https://h.example/team/a.tgz?token=%2e", True),
        ("https://h.example/teams/a", False),
        ("https://h.example/team/../other", False),
        ("https://h.example/team/%2e%2e/other", False),
        ("https://h.example/team\\..\\other", False),
        ("https://h.example.evil/team/a", False),
        ("https://h.example:81/team/a", False),
        ("https://h.example@evil/team/a", False),
        ("http://h.example/team/a", False),
        ("docker://r.example/a", True),
        ("docker://r.example:81/a", False),
    ],
)
def test_t27_only_what_lies_below_an_operators_prefix_may_be_fetched(url: str, inside: bool) -> None:
    assert allowed(url, ("https://h.example/team/", "docker://r.example")) is inside
    assert not allowed(url, ())


def test_a_prefix_is_a_scheme_a_host_and_a_path() -> None:
    assert source_prefix("https://h.example/team/") == "https://h.example/team/"
    for wrong in ("https://", "ftp://h", "https://u@h/", "https://h/a?b", "*", "h.example", "https://h/.."):
        with pytest.raises(InvalidInput):
            source_prefix(wrong)


def test_a_list_is_refused_with_all_its_faults() -> None:
    wanted = ["wherry/python", "nope nope", "urn:cnb:builder:wherry/python", "https://h.example/x.git", 3]
    with pytest.raises(InvalidInput) as caught:
        checked(wanted, ())
    shown = caught.value.evidence
    assert [line.partition(":")[0] for line in shown] == [f"updates[{place}].buildpack" for place in (1, 2, 3, 4)]
    assert "stands twice" in shown[1]
    assert "is not a place that buildpacks may come from here: have none" in shown[2]
    with pytest.raises(InvalidInput, match="not changed") as many:
        checked([f"a/b{number}" for number in range(101)], ())
    assert many.value.evidence == ("101 buildpacks; the most is 100",)


def test_the_list_changes_as_herokus_commands_change_it() -> None:
    assert buildpack_list.put([], "a/a") == ["a/a"]
    assert buildpack_list.put(["a/a", "b/b"], "c/c") == ["c/c", "b/b"]
    assert buildpack_list.put(["a/a"], "c/c", 5) == ["a/a", "c/c"]
    assert buildpack_list.add(["a/a", "b/b"], "c/c") == ["a/a", "b/b", "c/c"]
    assert buildpack_list.add(["a/a", "b/b"], "c/c", 1) == ["c/c", "a/a", "b/b"]
    assert buildpack_list.remove(["a/a", "b/b"], "urn:buildpack:b/b") == ["a/a"]
    assert buildpack_list.remove(["a/a", "b/b"], None, 1) == ["b/b"]
    for error, change in (
        (Conflict, lambda: buildpack_list.add(["a/a"], "a/a")),
        (NotFound, lambda: buildpack_list.remove(["a/a"], "b/b")),
        (NotFound, lambda: buildpack_list.remove(["a/a"], None, 2)),
        (InvalidInput, lambda: buildpack_list.remove(["a/a"], "a/a", 1)),
        (InvalidInput, lambda: buildpack_list.add(["a/a"], "b/b", 0)),
    ):
        with pytest.raises(error):
            change()
