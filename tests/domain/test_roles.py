"""Roles, scopes and permissions: what the rules say, and what names are taken."""

from __future__ import annotations

import pytest
from wherry.domain.errors import InvalidInput
from wherry.domain.roles import RULES, Permission, Role, Scope, granted, of_app, roles_named, scopes_allow, scopes_named


def test_every_permission_has_a_rule_and_no_rule_lets_nobody_pass() -> None:
    assert set(RULES) == set(Permission)
    for permission, rule in RULES.items():
        assert Role.ADMIN in rule.roles or not of_app(permission)


def test_only_admins_have_all_and_viewers_change_nothing() -> None:
    assert granted({Role.ADMIN}) == {each for each in Permission if of_app(each)}
    assert granted({Role.VIEW}) == {Permission.VIEW}
    assert granted(()) == set()


@pytest.mark.parametrize(
    ("scope", "denied"),
    [
        ("identity", {"view", "code", "list", "config", "configure", "change"}),
        ("read", {"config", "configure", "operate", "run", "deploy", "change", "admin", "create"}),
        ("read-protected", {"configure", "operate", "run", "deploy", "change", "admin", "create"}),
        ("write", {"config", "configure", "run"}),
        ("write-protected", set[str]()),
    ],
)
def test_t03_a_scope_allows_no_more_than_its_name_says(scope: str, denied: set[str]) -> None:
    found = {str(each) for each in Permission if not scopes_allow({Scope(scope)}, each)}
    known = found - {"account", "platform", "share", "operate", "run", "deploy", "admin", "create"}
    assert found >= {"account", "platform", "share"}, "only global reaches accounts, tokens and the platform"
    assert found - {"account", "platform"} >= denied
    assert known <= denied
    assert all(scopes_allow({Scope.GLOBAL}, each) for each in Permission)


def test_every_role_includes_view_and_heroku_says_manage_for_admin() -> None:
    assert roles_named(["deploy"]) == {Role.VIEW, Role.DEPLOY}
    assert roles_named(["manage", "view"]) == {Role.VIEW, Role.ADMIN}


@pytest.mark.parametrize("names", [None, [], "view", ["view", "root"], ["View"], [3], [["view"]], {"view": 1}])
def test_names_that_are_no_roles_or_scopes_are_refused(names: object) -> None:
    for read in (roles_named, scopes_named):
        with pytest.raises(InvalidInput) as refused:
            read(names)
        assert refused.value.evidence
