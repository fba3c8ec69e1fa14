"""What every Ledger adapter must do with accounts, roles, and the events that tell who did what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from wherry.domain.model import Actor, App
from wherry.domain.roles import Role
from wherry.flow.ledger_ports import Ledger

from tests.contract.ledger_world import NOW


class TestEvents:
    def test_events_come_newest_first_with_what_they_hold(self, ledger: Ledger, app: App, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.events.add(NOW, actor, "ferry", "app.create")
            tx.events.add(NOW, actor, "ferry", "scale", {"web": 1}, {"web": None, "é": True}, "10.0.0.1")
            newest, oldest = tx.events.of_app("ferry")
        assert (newest.at, newest.actor, newest.app, newest.action, newest.before, newest.after, newest.origin) == (
            NOW,
            actor.email,
            "ferry",
            "scale",
            {"web": 1},
            {"web": None, "é": True},
            "10.0.0.1",
        )
        assert (oldest.action, oldest.before, oldest.after, oldest.origin) == ("app.create", {}, {}, "")

    def test_a_renamed_app_keeps_its_events(self, ledger: Ledger, app: App, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.events.add(NOW, actor, "ferry", "app.create")
            tx.apps.rename(app.id, "barge", NOW)
            tx.events.add(NOW, actor, "barge", "app.rename")
            assert [event.app for event in tx.events.of_app("barge")] == ["barge", "ferry"]

    def test_t24_who_takes_a_free_name_does_not_see_what_was(self, ledger: Ledger, app: App, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.events.add(NOW, actor, "ferry", "app.create")
            tx.apps.remove(app.id, NOW)
            assert [event.action for event in tx.events.of_app("ferry")] == ["app.create"]
            tx.apps.add("ferry", actor, NOW + timedelta(days=100))
            assert tx.events.of_app("ferry") == []


class TestAccounts:
    def test_one_address_is_one_account(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            assert tx.accounts.ensure("Ada@Example.org", admin=False) == actor
            assert tx.accounts.by_email("ADA@example.org") == actor
            assert tx.accounts.by_email("bob@example.org") is None

    def test_an_account_becomes_admin_and_stays_one(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            assert tx.accounts.ensure(actor.email, admin=True) == replace(actor, admin=True)
            assert tx.accounts.ensure(actor.email, admin=False) == replace(actor, admin=True)

    def test_a_token_names_its_actor_until_it_is_dropped(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            assert tx.accounts.by_token("ab" * 32, NOW) is None
            tx.accounts.add_token(actor, "ab" * 32, "laptop", NOW)
            tx.accounts.add_token(actor, "ab" * 32, "laptop", NOW)
            assert tx.accounts.by_token("ab" * 32, NOW + timedelta(days=9999)) == actor
            tx.accounts.drop_token("ab" * 32)
            tx.accounts.drop_token("ab" * 32)
            assert tx.accounts.by_token("ab" * 32, NOW) is None

    def test_a35_a_token_expires_a_minute_late_for_clocks_that_differ(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.accounts.add_token(actor, "ab" * 32, "", NOW, expires_at=NOW + timedelta(hours=1))
            assert tx.accounts.by_token("ab" * 32, NOW + timedelta(hours=1, seconds=59)) == actor
            assert tx.accounts.by_token("ab" * 32, NOW + timedelta(hours=1, seconds=60)) is None

    def test_t04_a_login_link_works_once_and_is_no_token(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.accounts.add_token(actor, "ab" * 32, "", NOW, NOW + timedelta(minutes=5), kind="link")
            assert tx.accounts.by_token("ab" * 32, NOW) is None
            assert tx.accounts.use_once("ab" * 32, NOW) == actor
            assert tx.accounts.use_once("ab" * 32, NOW) is None

    def test_a_login_link_that_expired_is_used_up(self, ledger: Ledger, actor: Actor) -> None:
        with ledger.begin() as tx:
            tx.accounts.add_token(actor, "ab" * 32, "", NOW, NOW + timedelta(minutes=5), kind="link")
            assert tx.accounts.use_once("ab" * 32, NOW + timedelta(minutes=10)) is None
            assert tx.accounts.use_once("ab" * 32, NOW) is None


def test_roles_on_an_app_are_given_changed_and_taken(ledger: Ledger, actor: Actor, app: App) -> None:
    with ledger.begin() as tx:
        bob, eve = (tx.accounts.ensure(f"{name}@example.org", admin=False) for name in ("bob", "eve"))
        given = tx.collaborators.put(app.id, bob, frozenset({Role.VIEW}), NOW)
        later = NOW + timedelta(hours=1)
        changed = tx.collaborators.put(app.id, bob, frozenset({Role.VIEW, Role.DEPLOY}), later)
        assert changed == replace(given, roles=frozenset({Role.VIEW, Role.DEPLOY}), updated_at=later)
        assert tx.collaborators.of_app(app.id) == [tx.collaborators.of(app.id, bob.id)] == [changed]
        assert (
            [each.id for each in tx.apps.seen_by(bob.id)] == [each.id for each in tx.apps.seen_by(actor.id)] == [app.id]
        )
        assert tx.apps.seen_by(eve.id) == []
        assert tx.collaborators.remove(app.id, bob.id)
        assert not tx.collaborators.remove(app.id, bob.id)
        assert tx.apps.seen_by(bob.id) == []
        tx.collaborators.put(app.id, eve, frozenset({Role.VIEW}), NOW)
        tx.apps.remove(app.id, NOW)
        assert tx.collaborators.of_app(app.id) == []
