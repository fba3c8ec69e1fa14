"""Who may see and do what: every route of the pages, for every kind of visitor."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from flask import Flask
from wherry.domain.model import BuildStatus, Event
from wherry.domain.roles import Role
from wherry.domain.secret import Secret
from wherry.portal import create_portal
from wherry.portal.guard import OPEN

from tests.portal.harbour import Harbour, Visitor

WORLDLY = ("portal.home", "portal.apps", *OPEN)


NEEDS = {"scale": "operate", "ask_rollback": "change", "roll_back": "change"}  # every other page: view
MAY = {"view": {"view"}, "operate": {"view", "operate", "change"}, "deploy": {"view", "change"}}
MAY["admin"] = MAY["operate"]


def routes() -> list[tuple[str, str]]:
    """(method, path) of each page that shows one app; a new page is in by itself."""
    with tempfile.TemporaryDirectory() as folder:
        made = Harbour(Path(folder))
        app = made.pages()
        made.ledger.close()
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in WORLDLY:
            path = adapter.build(
                rule.endpoint, {"name": "shop"} | ({"number": 1} if "number" in rule.arguments else {})
            )
            found += [(method, path) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    return found


ROUTES = routes()


def ask(visitor: Visitor, method: str, path: str) -> int:
    if method == "POST":
        return int(visitor.post(path, type="web", quantity="1").status_code)
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
    return harbour


def test_every_page_of_an_app_is_in_the_table() -> None:
    assert len(ROUTES) == 13


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_t01_owner_and_admin_get_in(shop: Harbour, method: str, path: str) -> None:
    assert ask(shop.client(shop.user("ada@example.org")), method, path) in (200, 303)
    assert ask(shop.client(shop.user("root@example.org", admin=True)), method, path) in (200, 303)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_t01_a_collaborator_gets_what_the_role_allows(shop: Harbour, method: str, path: str) -> None:
    name = shop.pages().url_map.bind("localhost").match(path, method)[0].removeprefix("portal.")
    for role, may in MAY.items():
        user = shop.user(f"{role}@example.org")
        with shop.ledger.begin() as tx:
            tx.collaborators.put(tx.apps.by_name("shop").id, user, frozenset({Role.VIEW, Role(role)}), shop.clock.now())
        expected = (200, 303) if NEEDS.get(name, "view") in may else (403,)
        assert ask(shop.client(user), method, path) in expected, role


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_t01_foreign_app_looks_as_if_missing(shop: Harbour, method: str, path: str) -> None:
    visitor = shop.client(shop.user("eve@example.org"))
    assert ask(visitor, method, path) == 404
    assert ask(visitor, method, path.replace("/apps/shop", "/apps/none-such")) == 404


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_t01_stranger_is_sent_to_the_login(shop: Harbour, method: str, path: str) -> None:
    assert ask(shop.client(), method, path) == 303


@pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST"])
def test_t28_form_without_its_token_changes_nothing(shop: Harbour, path: str) -> None:
    visitor = shop.client(shop.user("ada@example.org"))
    events = len(shop_events(shop))
    for token in ("", "wrong", "\N{SNOWMAN}", shop.client().csrf()):
        answer = visitor.client.post(path, data={"csrf_token": token, "type": "web", "quantity": "3"})
        assert answer.status_code == 403
    plain = visitor.client.post(path, data=b'{"csrf_token": "x"}', content_type="text/plain")
    assert plain.status_code == 403
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
    shown, owners = (shop.client(who).get("/dashboard/apps/shop").text for who in (user, app.owner))
    for text in ("API_KEY_OF_SHOP", "/scale", "/rollback"):
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
