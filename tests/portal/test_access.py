"""Who may see and do what: every route of the pages, for every kind of visitor."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

import pytest
from flask import Flask
from wherry.domain.cron import CronRun, CronTask, Due, RunStatus
from wherry.domain.model import BuildStatus, Event
from wherry.domain.roles import Role
from wherry.domain.secret import Secret
from wherry.domain.webhooks import Level, News, Wanted
from wherry.portal import create_portal
from wherry.portal.guard import OPEN

from tests.portal.harbour import Harbour, Visitor

NEEDS = {
    "scale": "operate", "restart": "operate", "maintain": "operate", "cron_run": "operate",
    "ask_rollback": "change", "roll_back": "change",
    "config": "config", "config_reveal": "config", "config_set": "configure", "config_unset": "configure",
    "domain_add": "operate", "domain_check": "operate", "domain_remove": "operate",
    "drains": "operate", "drain_add": "operate", "drain_remove": "operate",
    "person_add": "share", "person_change": "share", "person_remove": "share",
    "webhooks": "operate", "webhook_add": "operate", "webhook": "operate", "webhook_change": "operate",
    "webhook_remove": "operate", "deliveries": "operate", "delivery": "operate",
    "ask_destroy": "admin", "destroy": "admin", "offer": "own",
}  # fmt: skip
"""Of an app's pages; every other one: view."""
HANDS = {"view", "change", "config", "configure"}
MAY = {
    "view": {"view"},
    "operate": HANDS | {"operate"},
    "deploy": HANDS,
    "admin": HANDS | {"operate", "share", "admin"},
}

WORLDLY = {
    "apps": "list", "pipelines": "list", "pipeline": "list", "pipeline_create": "create", "pipeline_remove": "create",
    "pipeline_couple": "create", "pipeline_move": "create", "pipeline_promote": "create",
    "account": "account", "account_name": "account", "token_add": "account", "token_revoke": "account",
    "token_rotate": "account", "key_add": "account", "key_remove": "account",
    "transfers": "account", "transfer_answer": "account", "transfer_withdraw": "account",
    "ask_create": "create", "create": "create",
    "users": "platform", "user_add": "platform", "user_ask": "platform", "user_remove": "platform",
}  # fmt: skip
"""Pages of no app, and what a session's scopes must allow."""
SCOPES = {
    "identity": set[str](),
    "read": {"list"},
    "write": {"list", "create"},
    "global": {"list", "create", "account"},
}
STRANGE = {"home", *(each.removeprefix("portal.") for each in OPEN)}

KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(32)).decode()
FIELDS: dict[str, dict[str, str]] = {
    "scale": {"type": "web", "quantity": "1"},
    "config_set": {"key-1": "A", "value-1": "1"},
    "config_unset": {"key": "UNSET"},
    "domain_add": {"hostname": "new.example.org"},
    "domain_check": {"hostname": "www.example.org"},
    "domain_remove": {"hostname": "www.example.org"},
    "drain_add": {"url": "https://192.0.1.1/in"},
    "drain_remove": {"drain": "d.there"},
    "person_add": {"email": "new@example.org", "role": "view"},
    "person_change": {"email": "mate@example.org", "role": "deploy"},
    "person_remove": {"email": "mate@example.org"},
    "webhook_add": {"url": "https://192.0.1.1/more", "include": "api:app", "level": "sync"},
    "webhook_change": {"url": "https://192.0.1.1/there", "include": "api:app", "level": "sync"},
    "offer": {"recipient": "heir@example.org"},
    "destroy": {"confirm": "shop"},
}
"""With which a form is taken."""


OFFERS = {
    "": ("API_KEY_OF_SHOP", "/shop/config", "/rollback", "/destroy"),
    "/processes": ("/scale", "/restart", "/maintenance"),
    "/cron": ("/tasks/1/run",),
    "/domains": ("/domains/add", "/domains/check", "/domains/remove"),
    "/access": ("/access/add", "/access/change", "/access/remove", "/access/offer"),
    "/logs": ("/drains",),
    "/activity": ("/webhooks",),
}
"""What a page shows to an owner, and not to the role view."""


def routes() -> list[tuple[str, str, str]]:
    """(name, method, path) of each page; a new one is in by itself."""
    with tempfile.TemporaryDirectory() as folder:
        made = Harbour(Path(folder))
        app = made.pages()
        made.ledger.close()
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        known = {"name": "shop", "number": 1}
        name = rule.endpoint.removeprefix("portal.")
        if name not in STRANGE:
            path = adapter.build(rule.endpoint, {key: known[key] for key in rule.arguments})
            found += [(name, method, path) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    return found


ALL = sorted(
    routes(), key=lambda each: (each[1] == "POST", each[0] == "destroy", "remove" in each[2])
)  # what takes away comes last
ROUTES = [(method, path) for name, method, path in ALL if name not in WORLDLY]
NAMES = {(method, path): name for name, method, path in ALL}


def ask(visitor: Visitor, method: str, path: str) -> int:
    if method == "POST":
        return int(visitor.post(path, **FIELDS.get(NAMES.get((method, path), ""), {})).status_code)
    answer = visitor.get(path)
    status = int(answer.status_code)
    answer.close()
    return status


def shop_events(harbour: Harbour) -> list[Event]:
    with harbour.ledger.begin(read_only=True) as tx:
        return tx.events.of_app("shop")


@pytest.fixture
def shop(harbour: Harbour) -> Harbour:
    app = harbour.app(harbour.user("ada@example.org"))
    build = harbour.build(app)
    first = harbour.release(app, build=build)
    harbour.release(app)
    harbour.run(app, first, web=1)
    mate, now = harbour.user("mate@example.org"), harbour.clock.now()
    with harbour.ledger.begin() as tx:
        task = CronTask("tidy", "0 3 * * *")
        tx.crons.put(app.id, [Due(app.id, 1, task, now)])
        tx.crons.add_run(CronRun(0, app.id, 1, "tidy", RunStatus.SUCCEEDED, now))
        tx.domains.add(app.id, app.owner.id, "www.example.org", now, None)
        tx.drains.add(app.id, "d.there", Secret("https://192.0.1.1/there"), now)
        for each in (mate, tx.accounts.ensure("heir@example.org", False)):
            tx.collaborators.put(app.id, each, frozenset({Role.VIEW}), now)
        told = Wanted(Secret("https://192.0.1.1/there"), ("api:release",), Level.NOTIFY, Secret("s"))
        event, hook = tx.events.of_app(app.name)[0], tx.webhooks.add(app.id, told, now)
        news = News(event, 1, "api:release", "create"), "api:release", {"action": "create"}
        tx.webhooks.enqueue(hook, event.id, [news])
    return harbour


def test_t01_every_page_is_an_apps_or_says_what_it_needs() -> None:
    assert {name for name, _, path in ALL if not path.startswith("/dashboard/apps/shop")} == set(WORLDLY)
    assert set(NEEDS) <= {name for name, _, _ in ALL}
    assert len(ALL) == 68


@pytest.mark.parametrize("scope", SCOPES)
def test_t03_a_session_reaches_no_further_than_the_scope_it_began_with(shop: Harbour, scope: str) -> None:
    ada = shop.user("ada@example.org")
    token = shop.world.tokens.create(ada, "", [scope], None)[1].reveal()
    visitor = shop.client()
    assert visitor.post("/login", api_token=token).status_code == 303
    for name, method, path in ALL:
        if name in WORLDLY:
            allowed = WORLDLY[name] in SCOPES[scope]
            assert (ask(visitor, method, path) != 403) == allowed, (name, scope)


@pytest.mark.parametrize("who", ["ada@example.org", "root@example.org"])
def test_t01_owner_and_admin_get_in(shop: Harbour, who: str) -> None:
    visitor = shop.client(shop.user(who, admin=who.startswith("root")))
    for method, path in ROUTES:
        assert ask(visitor, method, path) in (200, 201, 303), path


@pytest.mark.parametrize("role", MAY)
def test_t01_a_collaborator_gets_what_the_role_allows(shop: Harbour, role: str) -> None:
    user = shop.user(f"{role}@example.org")
    with shop.ledger.begin() as tx:
        tx.collaborators.put(tx.apps.by_name("shop").id, user, frozenset({Role.VIEW, Role(role)}), shop.clock.now())
    visitor = shop.client(user)
    for method, path in ROUTES:
        allowed = NEEDS.get(NAMES[method, path], "view") in MAY[role]
        assert ask(visitor, method, path) in ((200, 201, 303) if allowed else (403,)), path


def test_t01_foreign_app_looks_as_if_missing(shop: Harbour) -> None:
    visitor, events = shop.client(shop.user("eve@example.org")), len(shop_events(shop))
    for method, path in ROUTES:
        assert ask(visitor, method, path) == 404, path
        assert ask(visitor, method, path.replace("/apps/shop", "/apps/none-such")) == 404, path
    assert len(shop_events(shop)) == events


def test_t01_stranger_is_sent_to_the_login(shop: Harbour) -> None:
    visitor = shop.client()
    for _, method, path in ALL:
        assert ask(visitor, method, path) == 303, path
    assert visitor.get("/dashboard/account").location == "/login?next=/dashboard/account"


def test_t28_form_without_its_token_changes_nothing(shop: Harbour) -> None:
    visitor, events = shop.client(shop.user("ada@example.org")), len(shop_events(shop))
    for path in (path for _, method, path in ALL if method == "POST"):
        fields = FIELDS.get(NAMES["POST", path], {})
        for token in ("", "wrong", "\N{SNOWMAN}", shop.client().csrf()):
            assert visitor.client.post(path, data={"csrf_token": token, **fields}).status_code == 403, path
        plain = visitor.client.post(path, data=b'{"csrf_token": "x"}', content_type="text/plain")
        assert plain.status_code == 403, path
    assert len(shop_events(shop)) == events


def test_t28_methods_are_not_overridden(shop: Harbour) -> None:
    visitor = shop.client(shop.user("ada@example.org"))
    answer = visitor.get("/dashboard/apps/shop/scale?_method=POST", headers={"X-HTTP-Method-Override": "POST"})
    assert answer.status_code == 405


def test_t02_build_of_another_app_is_not_found(shop: Harbour) -> None:
    ada = shop.user("ada@example.org")
    other = shop.app(ada, "other-shop")
    build = shop.build(other, BuildStatus.FAILED, message="secret plan")
    visitor = shop.client(ada)
    for tail in ("", "/log.txt", "/events"):
        assert visitor.get(f"/dashboard/apps/shop/builds/{build.id}{tail}").status_code == 404
        assert visitor.get(f"/dashboard/apps/other-shop/builds/{build.id}{tail}").status_code == 200


def test_a_page_offers_only_what_the_role_allows(shop: Harbour) -> None:
    user = shop.user("viewer@example.org")
    with shop.ledger.begin() as tx:
        app = tx.apps.by_name("shop")
        tx.apps.put_config(app.id, {"API_KEY_OF_SHOP": Secret("x")})
        tx.collaborators.put(app.id, user, frozenset({Role.VIEW}), shop.clock.now())
    visitors = shop.client(user), shop.client(app.owner)
    for path, offers in OFFERS.items():
        shown, owners = (visitor.get(f"/dashboard/apps/shop{path}").text for visitor in visitors)
        for text in offers:
            assert text in owners
            assert text not in shown


def test_list_shows_own_apps_only(shop: Harbour) -> None:
    shop.app(shop.user("eve@example.org"), "eves-place")
    shown = shop.client(shop.user("ada@example.org")).get("/dashboard").text
    assert "shop" in shown
    assert "eves-place" not in shown


def test_api_token_is_no_key_to_pages(shop: Harbour) -> None:
    token = shop.token(shop.user("ada@example.org"))
    answer = shop.client().get("/dashboard", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 303


def test_account_that_is_gone_is_out_at_once(shop: Harbour) -> None:
    user = shop.user("gone@example.org")
    visitor = shop.client(user)
    assert visitor.get("/dashboard").status_code == 200
    shop.world.people.remove(shop.user("root@example.org", admin=True), shop.world.people.user(user.id))
    assert visitor.get("/dashboard").status_code == 303


def test_factory_serves_pages_and_api(shop: Harbour) -> None:
    app: Flask = create_portal(shop.world)
    client = app.test_client()
    assert client.get("/login").mimetype == "text/html"
    assert client.get("/apps").status_code == 401
    assert client.get("/apps").mimetype == "application/json"


def test_api_takes_no_session_for_a_key(shop: Harbour) -> None:
    visitor = Visitor(create_portal(shop.world).test_client())
    visitor.log_in(shop.link(shop.user("ada@example.org")))
    assert visitor.get("/dashboard").status_code == 200
    assert visitor.get("/apps").status_code == 401
