"""The rules of build and launch environments, one row a case."""

from __future__ import annotations

import pytest
from wherry.builds.env import (
    BUILD_PATHS,
    LAUNCH_PATHS,
    Action,
    apply,
    base_environment,
    changes_of,
    path_changes,
    with_user,
)
from wherry.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("before", "files", "after"),
    [
        ({}, {"A": "x"}, {"A": "x"}),
        ({"A": "old"}, {"A": "x"}, {"A": "x"}),
        ({"A": "old"}, {"A.override": "x"}, {"A": "x"}),
        ({"A": "old"}, {"A.default": "x"}, {"A": "old"}),
        ({"A": ""}, {"A.default": "x"}, {"A": "x"}),
        ({"A": "old"}, {"A.append": "x"}, {"A": "oldx"}),
        ({"A": "old"}, {"A.append": "x", "A.delim": ":"}, {"A": "old:x"}),
        ({"A": "old"}, {"A.prepend": "x", "A.delim": ", "}, {"A": "x, old"}),
        ({}, {"A.prepend": "x", "A.delim": ":"}, {"A": "x"}),
        ({"PATH": "/bin"}, {"PATH.prepend": "/x"}, {"PATH": "/x/bin"}),
        ({"A": "old"}, {"A.unknown": "x", "A.delim": ":", "A.append.more": "x"}, {"A": "old"}),
        ({}, {"A": "line\n\n"}, {"A": "line\n\n"}),
        ({}, {"A": ""}, {"A": ""}),
        ({}, {"A.append": "1", "A.override": "2"}, {"A": "2"}),
    ],
)
def test_a_suffix_says_what_a_file_does_and_contents_are_verbatim(
    before: dict[str, str], files: dict[str, str], after: dict[str, str]
) -> None:
    changes = changes_of({name: value.encode() for name, value in files.items()})
    assert apply(before, changes) == after


def test_without_a_suffix_the_operators_files_are_defaults() -> None:
    changes = changes_of({"A": b"x", "B": b"y"}, Action.DEFAULT)
    assert apply({"A": "mine"}, changes) == {"A": "mine", "B": "y"}


def test_a_delim_holds_for_its_own_folder_only() -> None:
    first = changes_of({"A.append": b"x", "A.delim": b":"})
    second = changes_of({"A.append": b"y"})
    assert apply({"A": "old"}, [*first, *second]) == {"A": "old:xy"}


def test_bytes_that_are_not_text_come_through() -> None:
    (change,) = changes_of({"A": b"\xff\xfe"})
    assert change.value.encode("utf-8", "surrogateescape") == b"\xff\xfe"


@pytest.mark.parametrize("files", [{"A": b"x\0y"}, {"1A": b""}, {"A-B": b""}, {"": b""}])
def test_what_no_environment_can_carry_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(InvalidInput):
        changes_of(files)


def test_folders_of_a_layer_come_before_what_is_there() -> None:
    changes = path_changes("/layers/p/one", ["bin", "lib", "include", "pkgconfig", "other"], BUILD_PATHS)
    assert apply({"PATH": "/bin"}, changes) == {
        "PATH": "/layers/p/one/bin:/bin",
        "LD_LIBRARY_PATH": "/layers/p/one/lib",
        "LIBRARY_PATH": "/layers/p/one/lib",
        "CPATH": "/layers/p/one/include",
        "PKG_CONFIG_PATH": "/layers/p/one/pkgconfig",
    }
    launch = path_changes("/layers/p/one", ["bin", "lib", "include"], LAUNCH_PATHS)
    assert [change.name for change in launch] == ["PATH", "LD_LIBRARY_PATH"]


def test_later_layers_come_first() -> None:
    changes = [*path_changes("/layers/p/a", ["bin"], BUILD_PATHS), *path_changes("/layers/p/b", ["bin"], BUILD_PATHS)]
    assert apply({"PATH": "/bin"}, changes)["PATH"] == "/layers/p/b/bin:/layers/p/a/bin:/bin"


def test_nothing_but_the_listed_variables_passes_from_the_image() -> None:
    image = {"PATH": "/x", "LANG": "C", "CNB_STACK_ID": "s", "SECRET": "no", "CNB_USER_ID": "1000", "HOME": "/old"}
    platform = {"HOME": "/home/build", "HTTPS_PROXY": "http://proxy", "AWS_SECRET": "no"}
    assert base_environment(image, platform) == {
        "PATH": "/x",
        "CNB_STACK_ID": "s",
        "HOME": "/home/build",
        "HTTPS_PROXY": "http://proxy",
    }


def test_a_users_path_is_put_before_and_any_other_variable_replaces() -> None:
    env = with_user({"PATH": "/bin", "A": "old"}, {"PATH": "/mine", "CPATH": "/inc", "A": "new", "B": "1"})
    assert env == {"PATH": "/mine:/bin", "CPATH": "/inc", "A": "new", "B": "1"}
