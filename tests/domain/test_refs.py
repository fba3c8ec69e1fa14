import pytest
from wherry.domain.errors import PushRefused
from wherry.domain.refs import ZERO, RefUpdate, judge

A, B = "a" * 40, "b" * 40


def update(ref: str, old: str = ZERO, new: str = A) -> RefUpdate:
    return RefUpdate(old, new, ref)


def test_a_push_to_main_deploys() -> None:
    verdict = judge([update("refs/heads/main")], None)
    assert verdict.deploy == update("refs/heads/main")
    assert verdict.remarks == ()


def test_master_deploys_until_main_did() -> None:
    assert judge([update("refs/heads/master")], None).deploy is not None
    assert judge([update("refs/heads/master")], "main").deploy is None


def test_b20_tags_are_stored_without_a_build() -> None:
    verdict = judge([update("refs/tags/v1"), update("refs/tags/v2")], "main")
    assert verdict.deploy is None
    assert verdict.remarks == ()


def test_b21_another_branch_is_stored_with_the_command_that_would_deploy_it() -> None:
    verdict = judge([update("refs/heads/feature/x")], "main")
    assert verdict.deploy is None
    assert verdict.remarks == (
        "feature/x was stored, not deployed: the deploy branch is main. To deploy: git push wherry feature/x:main",
    )


def test_b22_the_deploy_branch_cannot_be_deleted() -> None:
    with pytest.raises(PushRefused, match="cannot be deleted"):
        judge([update("refs/heads/main", old=A, new=ZERO)], "main")


def test_b22_deletion_and_creation_of_deploy_branches_in_one_push_is_refused() -> None:
    with pytest.raises(PushRefused):
        judge([update("refs/heads/main", old=A, new=ZERO), update("refs/heads/master")], None)


def test_another_branch_may_be_deleted() -> None:
    assert judge([update("refs/heads/old", old=A, new=ZERO)], "main").deploy is None


def test_b27_more_than_a_hundred_refs_are_refused_with_their_number() -> None:
    with pytest.raises(PushRefused, match="3000 refs"):
        judge([update(f"refs/heads/b{number}") for number in range(3000)], "main")


def test_two_deploy_branches_in_the_first_push_are_refused() -> None:
    with pytest.raises(PushRefused, match="both main and master"):
        judge([update("refs/heads/main"), update("refs/heads/master")], None)


@pytest.mark.parametrize("branch", ["--upload-pack=x", "$(id)", "a;b", "a'b", "a\u202eb", "<script>", "x" * 300])
def test_b31_a_hostile_branch_is_not_deployable_and_is_shown_escaped(branch: str) -> None:
    verdict = judge([update(f"refs/heads/{branch}")], "main")
    assert verdict.deploy is None
    assert "git push wherry" not in verdict.remarks[0]
    assert "\u202e" not in verdict.remarks[0]


@pytest.mark.parametrize(
    "line", ["", "x y z", f"{A} {B}", f"{A} {B} heads/main", f"{A}  {B} refs/heads/main", f"{A[:39]} {B} refs/x"]
)
def test_a_line_that_is_not_gits_is_refused(line: str) -> None:
    with pytest.raises(PushRefused):
        RefUpdate.parse(line)


def test_a_line_of_git_is_read() -> None:
    assert RefUpdate.parse(f"{A} {B} refs/heads/main") == RefUpdate(A, B, "refs/heads/main")
