"""Webhooks, transfers, everybody's accounts, and the two ends of an app's life, by forms."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from wherry.domain.model import App, JobKind
from wherry.domain.roles import Role

from tests.portal.harbour import Harbour, Visitor
from tests.portal.scene import HOSTILE

SHOP = "/dashboard/apps/shop"
HOOK = "https://192.0.1.1/in?key=k"


@pytest.fixture
def app(harbour: Harbour) -> App:
    return harbour.app(harbour.user())


@pytest.fixture
def ada(harbour: Harbour, app: App) -> Visitor:
    return harbour.client(app.owner)


@pytest.fixture
def root(harbour: Harbour) -> Visitor:
    return harbour.client(harbour.user("root@example.org", admin=True))


def words(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def actions(harbour: Harbour) -> list[str]:
    with harbour.ledger.begin(read_only=True) as tx:
        return [each.action for each in tx.events.of_app("shop")]


def owner(harbour: Harbour) -> str:
    with harbour.ledger.begin(read_only=True) as tx:
        return tx.apps.by_name("shop").owner.email


def secret_in(answer: Any) -> str:
    return re.findall(r'<code class="value">([^<]+)</code>', answer.text)[0]


def hook(ada: Visitor, **more: str | list[str]) -> Any:
    return ada.post(f"{SHOP}/webhooks/add", **{"url": HOOK, "include": "api:release", "level": "sync", **more})


def test_a_webhooks_secret_is_shown_once_and_what_is_left_empty_stays(harbour: Harbour, app: App, ada: Visitor) -> None:
    made = hook(ada, authorization="Bearer x")
    assert made.status_code == 201
    secret = secret_in(made)
    for path in ("webhooks", "webhooks/1"):
        shown = ada.get(f"{SHOP}/{path}").text
        assert html.escape(HOOK) in shown
        assert secret not in shown
        assert "Bearer x" not in shown
    fields: dict[str, str | list[str]] = {"url": HOOK, "include": ["api:app", "api:dyno"], "level": "notify"}
    ada.post(f"{SHOP}/webhooks/1", **fields)
    kept = harbour.world.webhooks.of_app(app)[0].wanted
    assert (kept.secret.reveal(), kept.include, kept.authorization is None) == (secret, ("api:app", "api:dyno"), False)
    ada.post(f"{SHOP}/webhooks/1", **fields, secret="another", no_authorization="yes")
    kept = harbour.world.webhooks.of_app(app)[0].wanted
    assert (kept.secret.reveal(), kept.authorization) == ("another", None)
    assert ada.post(f"{SHOP}/webhooks/1/remove").status_code == 303
    assert "None: nobody is told." in words(ada.get(f"{SHOP}/webhooks"))
    assert actions(harbour)[:4] == ["webhook.remove", "webhook.change", "webhook.change", "webhook.add"]


def test_a_refused_webhook_names_all_faults_and_keeps_what_was_typed(harbour: Harbour, app: App, ada: Visitor) -> None:
    refused = hook(ada, url=f"http://x/{HOSTILE}", include=["api:addon"], level="often", secret="kept-away")
    assert refused.status_code == 422
    for fault in ("url: must", "include: api:addon", "level: must be notify"):
        assert fault in words(refused)
    assert f'value="http://x/{html.escape(HOSTILE[:8])}' in refused.text
    assert HOSTILE not in refused.text
    assert "kept-away" not in refused.text
    assert refused.text.count('aria-invalid="true"') == 3
    assert hook(ada, url="https://127.0.0.1/in").status_code == 422
    assert harbour.world.webhooks.of_app(app) == []


def test_a_webhook_and_a_delivery_of_another_app_are_not_found(harbour: Harbour, app: App, ada: Visitor) -> None:
    hook(ada)
    eve = harbour.client(harbour.app(harbour.user("eve@example.org"), "eves-place").owner)
    for path in ("webhooks/1", "webhooks/1/remove"):
        assert eve.post(f"/dashboard/apps/eves-place/{path}", url=HOOK).status_code == 404
    assert eve.get("/dashboard/apps/eves-place/webhooks/1").status_code == 404
    assert len(harbour.world.webhooks.of_app(app)) == 1
    assert "None." in words(ada.get(f"{SHOP}/webhooks/deliveries"))
    assert ada.get(f"{SHOP}/webhooks/deliveries?status=lost").status_code == 422
    assert ada.get(f"{SHOP}/webhooks/deliveries?before=x").status_code == 404
    assert ada.get(f"{SHOP}/webhooks/deliveries/1").status_code == 404


def test_an_offered_app_is_its_recipients_only_once_they_take_it(harbour: Harbour, app: App, ada: Visitor) -> None:
    heir = harbour.user("heir@example.org")
    with harbour.ledger.begin() as tx:
        tx.collaborators.put(app.id, heir, frozenset({Role.VIEW}), harbour.clock.now())
    stranger = ada.post(f"{SHOP}/access/offer", recipient="eve@example.org")
    assert stranger.status_code == 409
    assert "one of its collaborators only" in words(stranger)
    visitor = harbour.client(heir)
    for state, becomes in (("declined", "ada@example.org"), ("accepted", "heir@example.org")):
        ada.post(f"{SHOP}/access/offer", recipient="heir@example.org")
        assert "waits for them to take it" in words(ada.get(f"{SHOP}/access"))
        number = harbour.world.transfer.of(heir)[-1].id
        assert "You are offered shop." in words(visitor.get("/dashboard"))
        assert ada.post(f"/dashboard/transfers/{number}", state="accepted").status_code == 403
        assert visitor.post(f"/dashboard/transfers/{number}/withdraw").status_code == 403
        assert owner(harbour) == "ada@example.org"
        assert visitor.post(f"/dashboard/transfers/{number}", state="all").status_code == 422
        assert visitor.post(f"/dashboard/transfers/{number}", state=state).status_code == 303
        assert owner(harbour) == becomes
        assert visitor.post(f"/dashboard/transfers/{number}", state=state).status_code == 409
    assert harbour.client(harbour.user("eve@example.org")).post("/dashboard/transfers/1").status_code == 404


def test_an_offer_is_taken_back_and_an_admin_of_the_platform_gives_at_once(
    harbour: Harbour, app: App, ada: Visitor, root: Visitor
) -> None:
    with harbour.ledger.begin() as tx:
        heir = tx.accounts.ensure("heir@example.org", False)
        tx.collaborators.put(app.id, heir, frozenset({Role.VIEW}), harbour.clock.now())
    ada.post(f"{SHOP}/access/offer", recipient="heir@example.org")
    assert ada.post("/dashboard/transfers/1/withdraw").status_code == 303
    assert harbour.world.transfer.of(heir) == []
    root.post(f"{SHOP}/access/offer", recipient="heir@example.org")
    assert owner(harbour) == "heir@example.org"


def test_the_operator_adds_a_user_with_a_link_that_is_shown_once_and_removes_one_by_name(
    harbour: Harbour, ada: Visitor, root: Visitor
) -> None:
    made = root.post("/dashboard/users", email="new@example.org")
    assert made.status_code == 201
    link = secret_in(made)
    assert link not in root.get("/dashboard/users").text
    guest = harbour.client()
    assert guest.post("/login", link=link.partition("token=")[2]).status_code == 303
    assert root.post("/dashboard/users", email=HOSTILE).status_code == 422
    known = {each.actor.email: each.actor.id for each in harbour.world.people.all()}
    number, mine, adas = (known[f"{each}@example.org"] for each in ("new", "root", "ada"))
    wrong = root.post(f"/dashboard/users/{number}/remove", confirm="old@example.org")
    assert (wrong.status_code, "nothing was removed" in words(wrong)) == (422, True)
    assert guest.get("/dashboard").status_code == 200
    assert root.post(f"/dashboard/users/{number}/remove", confirm="new@example.org").status_code == 303
    assert guest.get("/dashboard").status_code == 303
    for other, email in ((mine, "root@example.org"), (adas, "ada@example.org")):  # oneself, and who owns an app
        assert root.post(f"/dashboard/users/{other}/remove", confirm=email).status_code == 409


def test_everybodys_accounts_are_the_platforms_admins_only(harbour: Harbour, ada: Visitor, root: Visitor) -> None:
    users = len(harbour.world.people.all())
    for path in ("/dashboard/users", "/dashboard/users/1/remove"):
        assert ada.get(path).status_code == 403
        assert ada.post(path, email="new@example.org", confirm="ada@example.org").status_code == 403
    assert len(harbour.world.people.all()) == users
    assert "/dashboard/users" not in ada.get("/dashboard").text
    assert "/dashboard/users" in root.get("/dashboard").text


def test_a_long_list_of_users_has_pages(harbour: Harbour, root: Visitor) -> None:
    for number in range(120):
        harbour.user(f"u{number:03d}@example.org")
    shown = root.get("/dashboard/users").text
    more = re.findall(r'href="(/dashboard/users\?after=[0-9]+)"', shown)[0]
    second = root.get(more).text
    found = re.findall(r"u[0-9]{3}@example.org(?=</span>)", shown + second)
    assert sorted(found) == [f"u{number:03d}@example.org" for number in range(120)]


def test_a_made_app_tells_the_commands_that_push_to_it(harbour: Harbour, ada: Visitor) -> None:
    answer = ada.post("/dashboard/create", name="new-shop")
    assert answer.location == "/dashboard/apps/new-shop"
    page = words(ada.get(answer.location))
    assert "new-shop is made." in page
    assert "git remote add wherry http://localhost/new-shop.git git push wherry main" in page
    assert "wherry git:remote --app new-shop" in page
    made_up = ada.post("/dashboard/create", name=" ").location
    assert re.fullmatch("/dashboard/apps/[a-z]+-[a-z]+-[0-9]{5}", made_up)
    for name, status in (("new-shop", 409), ("admin", 409), (HOSTILE, 422)):
        refused = ada.post("/dashboard/create", name=name)
        assert refused.status_code == status
        assert f'value="{html.escape(name, quote=False)[:10]}' in refused.text
        assert HOSTILE not in refused.text
    assert len(harbour.world.access.apps(harbour.user())) == 3


def test_an_app_is_destroyed_only_by_its_name(harbour: Harbour, app: App, ada: Visitor) -> None:
    for typed in ("", "shops", HOSTILE):
        refused = ada.post(f"{SHOP}/destroy", confirm=typed)
        assert refused.status_code == 422
        assert "The name typed is not shop: nothing was destroyed" in words(refused)
        assert HOSTILE not in refused.text
    assert ada.get(SHOP).status_code == 200
    assert ada.post(f"{SHOP}/destroy", confirm="shop").location == "/dashboard"
    assert ada.get(SHOP).status_code == 404
    with harbour.ledger.begin(read_only=True) as tx:
        assert JobKind.DESTROY in [job.kind for job in tx.jobs.waiting()]
