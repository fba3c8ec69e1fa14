"""What changed in a release, and what happened to an app."""

from __future__ import annotations

import re

import pytest
from wherry.domain.model import App

from tests.portal.harbour import Harbour


@pytest.fixture
def app(harbour: Harbour) -> App:
    made = harbour.app(harbour.user())
    harbour.release(made, config={"KEPT": "kept-value", "TOKEN": "old-secret"})
    harbour.release(made, config={"KEPT": "kept-value", "TOKEN": "new-secret", "<b>": "x"})
    harbour.release(made, config={"KEPT": "kept-value"})
    return made


def test_a_release_says_what_it_changed_and_shows_no_value(harbour: Harbour, app: App) -> None:
    page = harbour.client(harbour.user()).get("/dashboard/apps/shop/releases/2").text
    assert "What changed since v1" in page
    changed = re.findall(r'<th scope="row">(config [^<]*)</th>', page)
    assert changed == ["config &lt;b&gt;", "config TOKEN"]
    assert "secret" not in page
    assert "kept-value" not in page


def test_a_release_is_compared_with_any_other(harbour: Harbour, app: App) -> None:
    visitor = harbour.client(harbour.user())
    page = visitor.get("/dashboard/apps/shop/releases/3?since=v1").text
    assert "What changed since v1" in page
    assert re.findall(r'<th scope="row">(config [^<]*)</th>', page) == ["config TOKEN"]
    for wrong in ("9", "x", "-1", "1'--", "99999999999"):
        assert visitor.get(f"/dashboard/apps/shop/releases/3?since={wrong}").status_code == 404
    assert "What changed</h2>" in visitor.get("/dashboard/apps/shop/releases/1").text


def test_activity_comes_in_pages_the_newest_first(harbour: Harbour, app: App) -> None:
    with harbour.ledger.begin() as tx:
        for number in range(60):
            tx.events.add(harbour.clock.now(), app.owner, "shop", "domain.add", after={"domain": f"<i>{number}.org"})
    visitor = harbour.client(harbour.user())
    first = visitor.get("/dashboard/apps/shop/activity").text
    assert re.findall(r"added the domain &lt;i&gt;(\d+)\.org", first) == [str(number) for number in range(59, 9, -1)]
    following = re.search(r'href="([^"]*before=\d+)"', first)
    assert following is not None
    second = visitor.get(following[1]).text
    assert re.findall(r"added the domain &lt;i&gt;(\d+)\.org", second) == [str(number) for number in range(9, -1, -1)]
    assert "before=" not in second
    assert visitor.get("/dashboard/apps/shop/activity?before=x").status_code == 404


def test_activity_of_another_is_missing(harbour: Harbour, app: App) -> None:
    stranger = harbour.client(harbour.user("eve@example.org"))
    assert stranger.get("/dashboard/apps/shop/activity").status_code == 404
