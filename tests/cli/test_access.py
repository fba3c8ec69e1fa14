"""`wherry access`, `authorizations` and `users`: sharing an app, tokens, accounts."""

from __future__ import annotations

import json

from tests.api.house import House
from tests.cli.conftest import Terminal


def test_somebody_new_is_invited_logs_in_by_the_link_and_leaves(house: House, terminal: Terminal, app: str) -> None:
    said = terminal.wherry("access:add", "friend@example.org", "-p", "view,deploy", "-a", app)
    assert (said.code, "... done, view, deploy" in said.err) == (0, True)
    link = said.out.strip()
    listed = terminal.wherry("access", "-a", app).out
    assert listed.split("\n")[:3] == [
        f"=== {app} Access",
        "owner@example.org   owner         view, operate, deploy, admin",
        "friend@example.org  collaborator  view, deploy",
    ]
    assert terminal.wherry("access:add", "friend@example.org", "-a", app).code == 5

    friend = Terminal(house, terminal.home, terminal.folder)
    entered = friend.wherry("login", link)
    assert entered.code == 0, entered.err
    assert f"Logged in to {house.url} as friend@example.org" in entered.err
    assert friend.wherry("auth:whoami").out == "friend@example.org\n"
    assert friend.wherry("login", link).code == 6
    refused = friend.wherry("ps:scale", "web=2", "-a", app)
    assert (refused.code, f"this needs the role operate on {app}; yours: view, deploy" in refused.err) == (7, True)

    assert terminal.wherry("access:update", "friend@example.org", "-p", "operate", "-a", app).code == 0
    assert friend.wherry("ps:scale", "web=2", "-a", app).code == 0
    assert terminal.wherry("access:update", "friend@example.org", "-p", "root", "-a", app).code == 3
    assert terminal.wherry("access:remove", "friend@example.org", "-a", app).code == 0
    assert friend.wherry("ps", "-a", app).code == 4
    assert friend.wherry("logout").code == 0


def test_a_token_is_made_shown_rotated_and_revoked(terminal: Terminal) -> None:
    token = terminal.wherry(
        "authorizations:create", "-d", "ci", "-s", "read,write", "-e", "3600", "--short"
    ).out.strip()
    found = next(
        each for each in json.loads(terminal.wherry("authorizations", "--json").out) if each["description"] == "ci"
    )
    assert found["scope"] == ["read", "write"]
    ci = Terminal(terminal.house, terminal.home, terminal.folder, {**terminal.env, "WHERRY_API_KEY": token})
    assert ci.wherry("apps").code == 0
    assert ci.wherry("authorizations").code == 7
    assert "ci  " in terminal.wherry("authorizations").out
    assert token not in terminal.wherry("authorizations:info", found["id"]).out
    assert "for builds" in terminal.wherry("authorizations:update", found["id"], "-d", "for builds").out
    assert "Token:" in terminal.wherry("authorizations:rotate", found["id"]).out
    assert ci.wherry("apps").code == 6
    assert terminal.wherry("authorizations:revoke", found["id"]).code == 0
    assert terminal.wherry("authorizations:revoke", found["id"]).code == 4
    assert terminal.wherry("authorizations:create", "-s", "everything").code == 3


def test_an_admin_adds_and_removes_accounts(house: House, terminal: Terminal) -> None:
    assert terminal.wherry("users").code == 7
    admin = Terminal(house, terminal.home, terminal.folder, {**terminal.env, "WHERRY_API_KEY": house.token("admin")})
    link = admin.wherry("users:add", "colleague@example.org").out.strip()
    assert link.startswith(f"{house.url}/login?token=")
    assert "colleague@example.org  user   the platform\n" in admin.wherry("users").out
    unsure = admin.wherry("users:remove", "colleague@example.org")
    assert (unsure.code, "--confirm colleague@example.org" in unsure.err) == (2, True)
    assert admin.wherry("users:remove", "colleague@example.org", "--confirm", "colleague@example.org").code == 0
    assert admin.wherry("users:remove", "colleague@example.org", "--confirm", "colleague@example.org").code == 4
    assert terminal.wherry("login", link).code == 6


def test_an_app_is_handed_over(terminal: Terminal, app: str) -> None:
    assert terminal.wherry("apps:transfer", "other@example.org", "-a", app).code == 5
    terminal.wherry("access:add", "other@example.org", "-a", app)
    offered = terminal.wherry("apps:transfer", "other@example.org", "-a", app)
    assert (offered.code, f"wherry apps:transfers:accept -a {app}" in offered.err) == (0, True)
    assert f"{app}  owner@example.org  other@example.org  pending" in terminal.wherry("apps:transfers").out
    assert terminal.wherry("apps:transfers:cancel", "-a", app).code == 0
    assert terminal.wherry("apps:transfer", "other@example.org", "-a", app).code == 0
    other = Terminal(
        terminal.house,
        terminal.home,
        terminal.folder,
        {**terminal.env, "WHERRY_API_KEY": terminal.house.token("other")},
    )
    assert other.wherry("apps", "transfers", "accept", "-a", app).code == 0
    assert json.loads(terminal.wherry("apps:info", "-a", app, "--json").out)["owner"]["email"] == "other@example.org"
