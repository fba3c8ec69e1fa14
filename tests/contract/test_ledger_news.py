"""What every Ledger adapter must do about webhooks, transfers and domains."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from wherry.domain.errors import NotFound
from wherry.domain.model import App
from wherry.domain.paging import Window
from wherry.domain.secret import Secret
from wherry.domain.transfers import TransferState
from wherry.domain.webhooks import MOST_DELIVERIES, Level, News, Outcome, Wanted, Webhook, news_of
from wherry.flow.ledger_ports import Ledger, Transaction

from tests.contract.ledger_world import NOW

WANTED = Wanted(Secret("https://example.org/s3cret"), ("api:app", "dyno"), Level.SYNC, Secret("k"), Secret("Bearer x"))


def happens(tx: Transaction, app: App, count: int = 1) -> None:
    for _ in range(count):
        tx.events.add(NOW, app.owner, app.name, "app.maintenance", after={"maintenance": True})


def enqueue(tx: Transaction, webhook: Webhook) -> int:
    pairs = tx.webhooks.behind(MOST_DELIVERIES * 2)
    news: list[News] = [each for _, event in pairs for each in news_of(event)]
    return tx.webhooks.enqueue(webhook, pairs[-1][1].id, [(each, "api:app", {"n": each.number}) for each in news])


def test_a_webhook_is_told_what_happens_after_it_was_added_once_and_in_order(ledger: Ledger, app: App) -> None:
    with ledger.begin() as tx:
        happens(tx, app)
        webhook = tx.webhooks.add(app.id, WANTED, NOW)
        assert tx.webhooks.of_app(app.id) == [webhook]
        assert webhook.wanted == WANTED
        assert (tx.webhooks.behind(5), tx.webhooks.waiting(), tx.webhooks.next(webhook.id)) == ([], [], None)
        happens(tx, app, 2)
        assert [number for number, _ in tx.webhooks.behind(5)] == [webhook.id, webhook.id]
        assert tx.webhooks.switched_on() == [(webhook.id, app.id, list(WANTED.include))]
        numbers = [each.number for _, event in tx.webhooks.behind(5) for each in news_of(event)]
        assert tx.webhooks.told(webhook, numbers) == set()
        assert enqueue(tx, webhook) == 2
        assert tx.webhooks.told(webhook, [*numbers, 1 << 61]) == set(numbers)
        assert tx.webhooks.behind(5) == []
        assert tx.webhooks.waiting() == [(webhook.id, None)]
        first = tx.webhooks.next(webhook.id)
        assert first
        tx.webhooks.attempted(first, Outcome.RETRYING, NOW, 500, "")
        tx.webhooks.rest(webhook.id, 1, NOW)
        assert tx.webhooks.waiting() == [(webhook.id, NOW)]
        tx.webhooks.attempted(first, Outcome.SUCCEEDED, NOW, 204, "")
        tx.webhooks.attempted(first, Outcome.FAILED, NOW, None, "too late")  # it has ended
        second = tx.webhooks.next(webhook.id)
        assert second
        assert second.id > first.id
        kept = tx.webhooks.delivery(app.id, first.id)
        assert (kept.outcome, kept.attempts, kept.code, kept.error) == (Outcome.SUCCEEDED, 2, 204, "")
        assert tx.webhooks.news(app.id, second.number) == second
        assert tx.webhooks.deliveries(app.id, Window(most=9, descending=True)) == [second, kept]
        assert tx.webhooks.deliveries(app.id, Window(most=9), Outcome.PENDING) == [second]
        for lookup in (tx.webhooks.delivery, tx.webhooks.news):
            with pytest.raises(NotFound):
                lookup(app.id + 1, first.id)


def test_a_webhook_that_is_off_is_told_nothing_and_on_again_what_is_new(ledger: Ledger, app: App) -> None:
    with ledger.begin() as tx:
        webhook = tx.webhooks.add(app.id, WANTED, NOW)
        happens(tx, app)
        enqueue(tx, webhook)
        tx.webhooks.switch_off(webhook.id, NOW, "it fails")
        happens(tx, app)
        off = tx.webhooks.by_id(webhook.id)
        assert (off.off_at, off.reason, tx.webhooks.behind(5), tx.webhooks.waiting()) == (NOW, "it fails", [], [])
        assert tx.webhooks.switched_on() == []
        assert tx.webhooks.next(webhook.id) is None
        assert tx.webhooks.deliveries(app.id, Window(most=9))[0].outcome is Outcome.FAILED
        changed = tx.webhooks.change(webhook.id, replace(WANTED, level=Level.NOTIFY, authorization=None), NOW)
        assert (changed.off_at, changed.reason, changed.wanted.authorization) == (None, "", None)
        assert tx.webhooks.behind(5) == []
        tx.webhooks.remove(webhook.id)
        with pytest.raises(NotFound):
            tx.webhooks.by_id(webhook.id)


def test_deliveries_that_ended_long_ago_go(ledger: Ledger, app: App) -> None:
    with ledger.begin() as tx:
        webhook = tx.webhooks.add(app.id, WANTED, NOW)
        happens(tx, app, 3)
        enqueue(tx, webhook)
        for _ in range(2):
            first = tx.webhooks.next(webhook.id)
            assert first
            tx.webhooks.attempted(first, Outcome.SUCCEEDED, NOW, 200, "")
        happens(tx, app)
        pairs = tx.webhooks.behind(5)
        (news,) = news_of(pairs[0][1])
        waiting = tx.webhooks.enqueue(webhook, pairs[0][1].id, [(news, "api:app", {})] * MOST_DELIVERIES)
        assert waiting == MOST_DELIVERIES + 1
        assert len(tx.webhooks.deliveries(app.id, Window(most=5000))) == MOST_DELIVERIES + 1
        tx.apps.remove(app.id, NOW)
        assert tx.webhooks.waiting() == []


def test_one_offer_of_an_app_waits_at_a_time(ledger: Ledger, app: App) -> None:
    with ledger.begin() as tx:
        bob = tx.accounts.ensure("bob@example.org", admin=False)
        first = tx.transfers.add(app.id, app.owner, bob, NOW)
        second = tx.transfers.add(app.id, app.owner, bob, NOW)
        assert tx.transfers.of_user(bob.id) == tx.transfers.of_user(app.owner.id) == [second]
        assert (second.app, second.owner, second.recipient) == (app.name, app.owner, bob)
        with pytest.raises(NotFound):
            tx.transfers.by_id(first.id)
        closed = tx.transfers.close(second.id, TransferState.DECLINED, NOW + timedelta(1))
        assert (closed.state, closed.updated_at) == (TransferState.DECLINED, NOW + timedelta(1))
        third = tx.transfers.add(app.id, app.owner, bob, NOW)
        assert tx.transfers.of_user(bob.id) == [closed, third]
        tx.transfers.remove(third.id)
        tx.apps.remove(app.id, NOW)
        assert tx.transfers.of_user(bob.id) == []


def test_domains_that_dns_proved_are_due_the_longest_waiting_first(ledger: Ledger, app: App) -> None:
    with ledger.begin() as tx:
        vouched, waits, one, other = (
            tx.domains.add(app.id, app.owner.id, f"{name}.example.org", NOW, NOW if name == "vouched" else None)
            for name in ("vouched", "waits", "one", "other")
        )
        one, other = (tx.domains.checked(each.id, NOW, NOW, "") for each in (one, other))
        assert tx.domains.due(NOW, 9) == [one, other]
        later = replace(one, look_at=NOW + timedelta(1), missing_since=NOW, doubted_at=NOW, reason="gone")
        tx.domains.looked(later)
        assert tx.domains.due(NOW, 9) == [other]
        assert tx.domains.due(NOW + timedelta(1), 9) == [other, later]
        tx.domains.remove(one.id)
        with pytest.raises(NotFound):
            tx.domains.looked(later)
        assert {each.id for each in tx.domains.of_app(app.id)} == {vouched.id, waits.id, other.id}
