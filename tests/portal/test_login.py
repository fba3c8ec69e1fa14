"""In and out."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from wherry.api.routes.table import ROUTES
from wherry.home import Home
from wherry.ledger.master_key import load_or_create_key
from wherry.portal import create_portal
from wherry.settings import Settings

from tests.portal.harbour import Harbour, Visitor


def test_link_is_shown_without_being_used_up(harbour: Harbour) -> None:
    link = harbour.link(harbour.user())
    visitor = harbour.client()
    for _ in range(3):
        assert visitor.get(f"/login?token={link}").status_code == 200
    assert visitor.post("/login", link=link).status_code == 303
    assert visitor.get("/dashboard").status_code == 200


def test_t04_link_works_once(harbour: Harbour) -> None:
    link = harbour.link(harbour.user())
    harbour.client().post("/login", link=link)
    second = harbour.client()
    answer = second.post("/login", link=link)
    assert answer.status_code == 410
    assert "wherry login:link" in answer.text
    assert second.get("/dashboard").status_code == 303


def test_api_token_logs_in_and_stays_usable(harbour: Harbour) -> None:
    token = harbour.token(harbour.user())
    for _ in range(2):
        visitor = harbour.client()
        assert visitor.post("/login", api_token=f" {token} ").status_code == 303
        assert visitor.get("/dashboard").status_code == 200


@pytest.mark.parametrize("token", ["", "nonsense", "\N{SNOWMAN}" * 40, "' OR 1=1 --", "a" * 20_000])
def test_unknown_token_gets_the_form_again(harbour: Harbour, token: str) -> None:
    answer = harbour.client().post("/login", api_token=token)
    assert answer.status_code == 401
    assert "<h1>Log in</h1>" in answer.text


def test_login_needs_its_form_token(harbour: Harbour) -> None:
    """A foreign site must not log a visitor in as somebody else."""
    link = harbour.link(harbour.user())
    assert harbour.client().client.post("/login", data={"link": link}).status_code == 403


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/apps/shop", "/dashboard/apps/shop/logs?process=web.1"])
def test_stranger_is_led_to_the_login_and_back(harbour: Harbour, path: str) -> None:
    user = harbour.user()
    harbour.app(user)
    visitor = harbour.client()
    sent = visitor.get(path)
    assert sent.status_code == 303
    form = visitor.get(sent.location)
    wanted = form.text.partition('name="next" value="')[2].partition('"')[0]
    assert visitor.post("/login", link=harbour.link(user), next=wanted).location == path


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/dashboard//evil", "/dashboard\r\nX: y", "/apps",
     "javascript:alert(1)", "/dashboardx", "/dashboard@evil.example"],
)  # fmt: skip
def test_login_leads_to_no_foreign_place(harbour: Harbour, wanted: str) -> None:
    answer = harbour.client().post("/login", link=harbour.link(harbour.user()), next=wanted)
    assert answer.location == "/dashboard"


def test_session_cookie_is_kept_from_scripts_and_foreign_sites(harbour: Harbour) -> None:
    visitor = harbour.client()
    cookie = visitor.post("/login", link=harbour.link(harbour.user())).headers["Set-Cookie"]
    assert cookie.startswith("wherry_session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_t33_cookie_over_https_is_bound_to_its_host(harbour: Harbour) -> None:
    answer = harbour.client().get("/login", base_url="https://portal.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-wherry=")
    assert "Secure" in cookie.split("; ")


def test_t33_a_cookie_that_an_app_tossed_is_not_taken_over_https(harbour: Harbour) -> None:
    """An app under a sibling name can set a cookie for the parent domain, but none with the name's prefix."""
    owner, visitor = harbour.client(harbour.user()), harbour.client()
    cookie = owner.client.get_cookie("wherry_session")
    assert cookie is not None
    tossed = {"Cookie": f"wherry_session={cookie.value}; Secure-wherry={cookie.value}"}
    assert visitor.get("/dashboard", base_url="https://portal.example", headers=tossed).status_code == 303


def test_t39_a_fresh_platform_has_no_open_page_no_default_login_and_no_debugger(harbour: Harbour) -> None:
    app = create_portal(harbour.world)
    assert not app.debug
    visitor = Visitor(app.test_client())
    for token in ("", "admin", "wherry", "password", "changeme"):
        assert visitor.post("/login", api_token=token).status_code == 401
    for path in ("/console", "/setup", "/install", "/register", "/admin", "/dashboard?__debugger__=yes&cmd=printpin"):
        assert visitor.get(path).status_code in (303, 401, 404), path
    for route in (each for each in ROUTES if each.needs is not None):
        path = re.sub("<[^>]+>", "x", route.path)
        assert app.test_client().open(path, method=route.method).status_code == 401, route.name


def test_t39_secrets_are_made_for_each_platform_and_for_its_owner_only(tmp_path: Path) -> None:
    kept = set()
    for name in ("one", "two"):
        (tmp_path / name / "secrets").mkdir(parents=True)
        home = Home(tmp_path / name)
        kept |= {home.secret("tickets.key").reveal(), load_or_create_key(home.folder / "secrets" / "master.key").hex()}
        files = list((tmp_path / name).rglob("*.key"))
        assert files
        assert {path.stat().st_mode & 0o077 for path in files} == {0}
    assert len(kept) == 4
    assert Settings.load({"WHERRY_HOME": str(tmp_path)}).bind == "127.0.0.1"


def test_session_ends_after_twelve_hours_however_busy(harbour: Harbour) -> None:
    visitor = harbour.client(harbour.user())
    harbour.clock.offset += timedelta(hours=11, minutes=59)
    assert visitor.get("/dashboard").status_code == 200
    harbour.clock.offset += timedelta(minutes=2)
    assert visitor.get("/dashboard").status_code == 303


def test_session_is_a_key_that_opens_nothing_else(harbour: Harbour) -> None:
    visitor = harbour.client(harbour.user())
    with visitor.client.session_transaction() as session:
        assert set(session) == {"session", "_permanent", "csrf"}
        key = str(session["session"])
    assert harbour.client().post("/login", api_token=key).status_code == 401
    assert harbour.client().post("/login", link=key).status_code == 410


def test_logout_ends_the_session_for_who_has_copied_its_cookie_too(harbour: Harbour) -> None:
    visitor, thief = harbour.client(harbour.user()), harbour.client()
    cookie = visitor.client.get_cookie("wherry_session")
    assert cookie is not None
    thief.client.set_cookie("wherry_session", cookie.value)
    assert thief.get("/dashboard").status_code == 200
    visitor.post("/logout")
    assert thief.get("/dashboard").status_code == 303


def test_a_session_may_do_no_more_than_the_token_that_it_began_with(harbour: Harbour) -> None:
    user = harbour.user()
    harbour.app(user)
    _, secret = harbour.world.tokens.create(user, "", ["read"], None)
    visitor = harbour.client()
    assert visitor.post("/login", api_token=secret.reveal()).status_code == 303
    assert visitor.get("/dashboard/apps/shop").status_code == 200
    assert visitor.post("/dashboard/apps/shop/scale", type="web", quantity="1").status_code == 403


def test_session_signed_by_another_key_is_nobody(harbour: Harbour) -> None:
    visitor = harbour.client()
    visitor.client.set_cookie("wherry_session", "eyJhY3RvciI6MX0.aR-x.forged")
    assert visitor.get("/dashboard").status_code == 303


def test_login_begins_a_new_form_token(harbour: Harbour) -> None:
    visitor = harbour.client()
    before = visitor.csrf()
    visitor.log_in(harbour.link(harbour.user()))
    assert visitor.csrf() != before


def test_logout_is_a_form_and_ends_the_session(harbour: Harbour) -> None:
    visitor = harbour.client(harbour.user())
    assert visitor.get("/logout").status_code == 200
    assert visitor.get("/dashboard").status_code == 200
    assert visitor.post("/logout").status_code == 303
    assert visitor.get("/dashboard").status_code == 303


def test_t32_guesses_at_the_login_page_are_slowed_down_and_a_known_token_passes(harbour: Harbour) -> None:
    token = harbour.token(harbour.user())
    assert harbour.client().post("/login", api_token=token).status_code == 303
    guesser = harbour.client()
    answers = [guesser.post("/login", api_token=f"guess {number}") for number in range(12)]
    assert [each.status_code for each in answers[:10]] == [401] * 10
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert guesser.post("/login", link="guess").status_code == 429
    assert harbour.client().post("/login", api_token=token).status_code == 303
