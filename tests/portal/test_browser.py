"""The pages in a real browser: lines arrive, nothing foreign runs, every page can be read and reached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from wherry.domain.model import App, BuildStatus
from wherry.flow.lanes import build_stream

from tests.portal.browser import chromium, entered, served
from tests.portal.harbour import Harbour
from tests.portal.scene import fill

pytestmark = pytest.mark.browser

PAGES = (
    "/dashboard",
    "/dashboard/apps/lighthouse-shop",
    "/dashboard/apps/lighthouse-shop/releases/4",
    "/dashboard/apps/lighthouse-shop/releases/1/rollback",
    "/dashboard/apps/lighthouse-shop/builds/3",
    "/dashboard/apps/lighthouse-shop/releases/4?since=1",
    "/dashboard/apps/lighthouse-shop/activity",
    "/dashboard/apps/trojan-horse/activity",
    "/dashboard/apps/lighthouse-shop/logs",
    "/dashboard/apps/quiet-cove-48213",
    "/dashboard/apps/trojan-horse",
    "/dashboard/apps/trojan-horse/logs",
    "/dashboard/apps/trojan-horse/logs?process=%3Cscript%3Ealert(1)%3C/script%3E",
    "/dashboard/apps/trojan-horse/releases/1",
    "/dashboard/apps/trojan-horse/releases/2",
    "/dashboard/apps/trojan-horse/releases/1/rollback",
    "/dashboard/apps/trojan-horse/builds/6",
    "/dashboard/apps/none-such",
    "/dashboard/apps/lighthouse-shop/processes",
    "/dashboard/apps/lighthouse-shop/cron",
    "/dashboard/apps/lighthouse-shop/config",
    "/dashboard/apps/lighthouse-shop/domains",
    "/dashboard/apps/lighthouse-shop/access",
    "/dashboard/apps/lighthouse-shop/drains",
    "/dashboard/apps/lighthouse-shop/webhooks",
    "/dashboard/apps/lighthouse-shop/webhooks/2",
    "/dashboard/apps/lighthouse-shop/webhooks/deliveries",
    "/dashboard/apps/lighthouse-shop/webhooks/deliveries/5",
    "/dashboard/apps/lighthouse-shop/destroy",
    "/dashboard/create",
    "/dashboard/transfers",
    "/dashboard/users",
    "/dashboard/users/3/remove",
    "/dashboard/apps/trojan-horse/processes",
    "/dashboard/apps/trojan-horse/config",
    "/dashboard/pipelines",
    "/dashboard/pipelines/1",
    "/dashboard/account",
    "/login",
    "/login?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
)


class Visit:
    """One browser's view of a full harbour."""

    def __init__(self, browser: Browser, harbour: Harbour, address: str) -> None:
        self.harbour, self.address = harbour, address
        self.ada, self.shop = fill(harbour)
        self.context = browser.new_context(viewport={"width": 1280, "height": 800})
        self.page = entered(self.context, harbour, address, self.ada)
        self.roots = browser.new_context(viewport={"width": 1280, "height": 800})
        self.roots_page = entered(self.roots, harbour, address, harbour.user("root@example.org", admin=True))

    def of(self, path: str) -> Page:
        """Who may see it: the platform's admin what is of everybody, else Ada."""
        return self.roots_page if path.startswith("/dashboard/users") else self.page

    def go(self, path: str) -> Page:
        page = self.of(path)
        page.goto(self.address + path, wait_until="load")
        return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as program:
        yield program


@pytest.fixture(scope="module")
def visit(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    harbour = Harbour(tmp_path_factory.mktemp("harbour"))
    with served(harbour) as address:
        made = Visit(browser, harbour, address)
        yield made
        made.context.close()
        made.roots.close()
    harbour.ledger.close()


@pytest.fixture
def quiet_app(visit: Visit, request: pytest.FixtureRequest) -> App:
    """An app of this test alone."""
    return visit.harbour.app(visit.ada, "t" + re.sub(r"\W|_", "", request.node.name)[-20:].lower())


@pytest.mark.parametrize("path", PAGES)
def test_t29_nothing_hostile_runs_and_the_policy_has_nothing_to_refuse(visit: Visit, path: str) -> None:
    said: list[str] = []
    listener = visit.of(path).on
    listener("console", lambda message: said.append(message.text))
    page = visit.go(path)
    page.wait_for_load_state("load")
    assert not page.title().startswith("ran")
    assert page.evaluate("document.querySelectorAll('main img, main script, [onerror]').length") == 0
    assert [each for each in said if "Security" in each or "Refused" in each] == []


def test_t29_hostile_line_that_arrives_live_is_only_text(visit: Visit, quiet_app: App) -> None:
    page = visit.go(f"/dashboard/apps/{quiet_app.name}/logs")
    expect(page.locator(".state")).to_have_text("Live")
    line = "<img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"
    visit.harbour.write(quiet_app.id, "web.1", line.encode())
    expect(page.locator(".line span")).to_have_text(line)
    assert page.locator(".lines img, .lines script").count() == 0
    assert "ran" not in page.title().split()


def test_app_log_lines_arrive_with_their_process(visit: Visit, quiet_app: App) -> None:
    visit.harbour.write(quiet_app.id, "web.1", b"before")
    page = visit.go(f"/dashboard/apps/{quiet_app.name}/logs")
    expect(page.locator(".state")).to_have_text("Live")
    visit.harbour.write(quiet_app.id, "worker.1", b"after")
    expect(page.locator(".line span")).to_have_text(["before", "after"])
    expect(page.locator(".line b")).to_have_text(["web.1", "worker.1"])


def test_pause_holds_the_lines_and_resume_shows_them(visit: Visit, quiet_app: App) -> None:
    page = visit.go(f"/dashboard/apps/{quiet_app.name}/logs")
    expect(page.locator(".state")).to_have_text("Live")
    page.get_by_role("button", name="Pause").click()
    visit.harbour.write(quiet_app.id, "web.1", b"held")
    expect(page.locator(".state")).to_have_text("Paused, 1 new")
    assert page.locator(".line").count() == 0
    page.get_by_role("button", name="Resume").press("Enter")
    expect(page.locator(".line span")).to_have_text("held")


def test_log_follows_its_end_until_the_reader_scrolls_up(visit: Visit, quiet_app: App) -> None:
    page = visit.go(f"/dashboard/apps/{quiet_app.name}/logs")
    expect(page.locator(".state")).to_have_text("Live")
    write, lines = visit.harbour.write, page.locator(".lines")
    for number in range(100):
        write(quiet_app.id, "web.1", b"line %d" % number)
    expect(page.locator(".line")).to_have_count(100)
    assert lines.evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight") < 2
    lines.evaluate("box => { box.scrollTop = 0; }")
    write(quiet_app.id, "web.1", b"one more")
    jump = page.get_by_role("button", name="1 new below")
    expect(jump).to_be_visible()
    assert lines.evaluate("box => box.scrollTop") == 0
    jump.click()
    assert lines.evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight") < 2
    expect(jump).to_be_hidden()


def test_build_log_is_live_and_its_end_is_told(visit: Visit, quiet_app: App) -> None:
    build = visit.harbour.build(quiet_app, BuildStatus.RUNNING, log=("-----> Detecting",))
    page = visit.go(f"/dashboard/apps/{quiet_app.name}/builds/{build.id}")
    expect(page.locator("#status")).to_have_text("running")
    visit.harbour.logs.append(build_stream(build.id), " !     no Procfile")
    expect(page.locator(".line")).to_have_text(["-----> Detecting", " !     no Procfile"])
    expect(page.locator(".line.trouble")).to_have_count(1)
    with visit.harbour.ledger.begin() as tx:
        tx.builds.finish(replace(build, status=BuildStatus.FAILED, finished_at=visit.harbour.clock.now()))
    visit.harbour.logs.close(build_stream(build.id), "failed")
    expect(page.locator(".state")).to_have_text("Ended: failed")
    expect(page.locator("#status")).to_have_text("failed")


def test_reader_comes_back_by_itself_and_misses_nothing(visit: Visit, quiet_app: App) -> None:
    page = visit.go(f"/dashboard/apps/{quiet_app.name}/logs")
    visit.harbour.write(quiet_app.id, "web.1", b"one")
    expect(page.locator(".line")).to_have_count(1)
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    page.route("**/events?*", lambda route: route.abort())
    visit.harbour.write(quiet_app.id, "web.1", b"two")
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator(".state")).to_have_text("Connection lost, trying again…")
    page.unroute("**/events?*")
    expect(page.locator(".line span")).to_have_text(["one", "two"])
    expect(page.locator(".state")).to_have_text("Live")


def test_log_is_readable_without_a_script(visit: Visit, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = entered(context, visit.harbour, visit.address, visit.ada)
    page.goto(f"{visit.address}/dashboard/apps/lighthouse-shop/logs")
    expect(page.get_by_text("Without JavaScript this page does not follow the log.")).to_be_visible()
    expect(page.get_by_text("KeyError: 17")).to_be_visible()
    expect(page.locator(".pause")).to_be_hidden()
    context.close()


def test_an_app_is_made_and_destroyed_without_a_script(visit: Visit, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = entered(context, visit.harbour, visit.address, visit.ada)
    page.get_by_role("link", name="New app").press("Enter")
    page.get_by_label("Name").fill("No Name")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("'No Name' is not a name for an app")
    expect(page.get_by_label("Name")).to_have_value("No Name")
    page.get_by_label("Name").fill("short-lived")
    page.get_by_role("button", name="Make the app").press("Enter")
    expect(page.get_by_text(f"git remote add wherry {visit.address}/short-lived.git")).to_be_visible()
    page.get_by_role("link", name="Destroy short-lived").press("Enter")
    page.get_by_label("To go on, type short-lived").fill("lived-short")
    page.get_by_role("button", name="Destroy the app").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("nothing was destroyed")
    page.get_by_label("To go on, type short-lived").fill("short-lived")
    page.get_by_role("button", name="Destroy the app").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("short-lived is destroyed.")
    context.close()


def test_everything_is_reached_by_keyboard_with_its_focus_seen(visit: Visit) -> None:
    page = visit.go("/dashboard/apps/lighthouse-shop")
    wanted = page.evaluate(
        "document.querySelectorAll('a[href], button, input:not([type=hidden]), select, pre[tabindex]').length"
    )
    outlines = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        outlines.append(
            page.evaluate(
                "(() => { const s = getComputedStyle(document.activeElement);"
                " return document.activeElement.tagName + ' ' + s.outlineStyle + ' ' + parseFloat(s.outlineWidth); })()"
            )
        )
    assert outlines[0].startswith("A ")
    assert not [each for each in outlines if each.startswith("BODY") or not each.endswith("solid 3")]
    page = visit.go("/dashboard/apps/lighthouse-shop")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_rollback_by_keyboard_alone(visit: Visit) -> None:
    page = visit.go("/dashboard/apps/lighthouse-shop")
    page.get_by_role("link", name="Roll back to v3").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Roll back to v3?")
    page.get_by_role("button", name="Roll back to v3").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Rolling back to v3")


CONTRAST, COVERED = ((Path(__file__).parent / f"{name}.js").read_text() for name in ("contrast", "covered"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_text_has_contrast_and_nothing_is_covered_or_wider_than_the_screen(
    visit: Visit, scheme: str, width: int
) -> None:
    for each in (visit.page, visit.roots_page):
        each.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        each.set_viewport_size({"width": width, "height": 800})
    found = []
    for path in PAGES:
        page = visit.go(path)
        assert page.locator("h1").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found += [(path, each) for each in page.evaluate(CONTRAST) + page.evaluate(COVERED)]
    assert found == []


def test_every_field_and_table_has_a_name(visit: Visit) -> None:
    for path in PAGES:
        page = visit.go(path)
        unnamed = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(e => !e.labels.length).length"
            " + [...document.querySelectorAll('table')].filter(e => !e.caption).length"
            " + [...document.querySelectorAll('th')].filter(e => !e.scope).length"
        )
        assert unnamed == 0, path
