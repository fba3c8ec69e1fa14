"""In and out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.portal.harbour import Harbour


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
