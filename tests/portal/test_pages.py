"""What the pages tell."""

from __future__ import annotations

import re

import pytest
from wherry.domain.errors import PlatformFault
from wherry.domain.model import BuildStatus, ReleaseStatus

from tests.portal.harbour import Harbour


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_empty_dashboard_tells_what_to_type(harbour: Harbour) -> None:
    page = harbour.client(harbour.user()).get("/dashboard").text
    assert "wherry create" in page
    assert "git push wherry main" in page


def test_dashboard_counts_processes_of_the_current_release(harbour: Harbour) -> None:
    app = harbour.app(harbour.user())
    old = harbour.release(app)
    new = harbour.release(app)
    harbour.run(app, old, web=1)
    assert "0 of 1 up" in words(harbour.client(harbour.user()).get("/dashboard").text)
    harbour.run(app, new, web=1)
    page = harbour.client(harbour.user()).get("/dashboard").text
    assert "1 of 1 up" in words(page)
    assert "http://shop.localhost:8300" in page


def test_engine_that_is_gone_leaves_the_pages_readable(harbour: Harbour) -> None:
    app = harbour.app(harbour.user())
    harbour.release(app)
    harbour.runtime.fault = PlatformFault("the engine does not answer")
    visitor = harbour.client(harbour.user())
    for path in ("/dashboard", "/dashboard/apps/shop", "/dashboard/apps/shop/logs"):
        answer = visitor.get(path)
        assert answer.status_code == 200
        assert "the engine does not answer" in answer.text


def test_failed_release_tells_why_and_what_serves(harbour: Harbour) -> None:
    app = harbour.app(harbour.user())
    harbour.release(app)
    harbour.release(app, ReleaseStatus.FAILED, failure="not-listening", message="web.1 did not listen on $PORT")
    page = words(harbour.client(harbour.user()).get("/dashboard/apps/shop").text)
    assert "v2 failed (not-listening)" in page
    assert "web.1 did not listen on $PORT" in page
    assert "v1 keeps serving" in page


def test_only_a_served_and_earlier_release_has_a_way_back(harbour: Harbour) -> None:
    app = harbour.app(harbour.user())
    harbour.release(app)
    harbour.release(app, ReleaseStatus.FAILED)
    harbour.release(app)
    page = harbour.client(harbour.user()).get("/dashboard/apps/shop").text
    assert re.findall(r"releases/(\d+)/rollback", page) == ["1"]


def test_release_page_has_its_rollout_log(harbour: Harbour) -> None:
    app = harbour.app(harbour.user())
    build = harbour.build(app)
    harbour.release(app, build=build, log=("-----> Launching...", "       Released v1"))
    page = harbour.client(harbour.user()).get("/dashboard/apps/shop/releases/1").text
    assert "Released v1" in page
    assert f"/dashboard/apps/shop/builds/{build.id}" in page
    assert "data-events" not in page


def test_running_build_is_followed(harbour: Harbour) -> None:
    build = harbour.build(harbour.app(harbour.user()), BuildStatus.RUNNING)
    page = harbour.client(harbour.user()).get(f"/dashboard/apps/shop/builds/{build.id}").text
    assert f'data-events="/dashboard/apps/shop/builds/{build.id}/events?after=2"' in page


def test_long_log_shows_its_end_and_keeps_the_whole(harbour: Harbour) -> None:
    log = tuple(f"line {number}" for number in range(2500))
    build = harbour.build(harbour.app(harbour.user()), log=log)
    visitor = harbour.client(harbour.user())
    page = visitor.get(f"/dashboard/apps/shop/builds/{build.id}").text
    assert "500 earlier lines are left out" in words(page)
    assert ">line 499<" not in page
    assert ">line 2499<" in page
    text = visitor.get(f"/dashboard/apps/shop/builds/{build.id}/log.txt")
    assert text.mimetype == "text/plain"
    assert text.text.splitlines() == list(log)


def test_config_values_are_on_no_page(harbour: Harbour) -> None:
    app = harbour.app(harbour.user())
    harbour.release(app, config={"DATABASE_URL": "canary-one"})
    harbour.release(app, config={"DATABASE_URL": "canary-two"})
    visitor = harbour.client(harbour.user())
    for path in ("", "/releases/1", "/releases/2", "/releases/1/rollback"):
        page = visitor.get(f"/dashboard/apps/shop{path}").text
        assert "DATABASE_URL" in page
        assert "canary" not in page


def test_logs_are_readable_without_a_script(harbour: Harbour) -> None:
    app = harbour.app(harbour.user())
    for number in range(250):
        harbour.write(app.id, "web.1", f"request {number}".encode())
    harbour.write(app.id, "worker.1", b"job done")
    visitor = harbour.client(harbour.user())
    page = visitor.get("/dashboard/apps/shop/logs").text
    assert page.count('class="line"') == 200
    assert "request 249" in page
    one = visitor.get("/dashboard/apps/shop/logs?process=worker.1").text
    assert one.count('class="line"') == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/dashboard/nowhere", 404),
        ("/dashboard/apps/Not%20A%20Name", 404),
        ("/dashboard/apps/none-such", 404),
        ("/dashboard/apps/shop/releases/9", 404),
        ("/dashboard/apps/shop/releases/99999999999999999999", 404),
        ("/dashboard/apps/shop/builds/9", 404),
        ("/dashboard/apps/shop/releases/1/rollback", 409),
        ("/dashboard/apps/shop/scale", 405),
    ],
)
def test_error_is_a_page_with_a_way_on(harbour: Harbour, path: str, status: int) -> None:
    harbour.release(harbour.app(harbour.user()))
    answer = harbour.client(harbour.user()).get(path)
    assert answer.status_code == status
    assert answer.mimetype == "text/html"
    assert answer.text.count("<h1>") == 1
    assert 'href="/dashboard"' in answer.text


def test_unforeseen_fault_has_an_id_and_no_traceback(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    harbour.app(harbour.user())
    visitor = harbour.client(harbour.user())
    monkeypatch.setattr(harbour.logs, "read", lambda stream: [][0])
    build = harbour.build(harbour.app(harbour.user(), "other"))
    answer = visitor.get(f"/dashboard/apps/other/builds/{build.id}")
    assert answer.status_code == 500
    assert "IndexError" not in answer.text
    number = re.search(r"request ([0-9a-f]{16})", answer.text)
    assert number
    assert number[1] in caplog.text


def test_every_page_is_private_and_runs_nothing_foreign(harbour: Harbour) -> None:
    harbour.release(harbour.app(harbour.user()))
    visitor = harbour.client(harbour.user())
    for path in ("/login", "/dashboard", "/dashboard/apps/shop", "/dashboard/nowhere", "/dashboard/apps/shop/logs"):
        headers = visitor.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


def test_pages_name_no_foreign_host_and_hold_no_inline_code(harbour: Harbour) -> None:
    build = harbour.build(harbour.app(harbour.user()), BuildStatus.RUNNING)
    visitor = harbour.client(harbour.user())
    for path in ("/login", "/dashboard", "/dashboard/apps/shop", f"/dashboard/apps/shop/builds/{build.id}"):
        page = visitor.get(path).text
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script>", page)
        assert set(re.findall(r'(?:src|href)="(?:https?:)?//([^/"]+)', page)) <= {"shop.localhost:8300"}


def test_files_are_named_by_their_content_and_served(harbour: Harbour) -> None:
    visitor = harbour.client()
    page = visitor.get("/login").text
    for found in re.findall(r'(?:src|href)="(/dashboard/static/[^"]+)"', page):
        assert re.search(r"\?v=[0-9a-f]{12}$", found)
        with visitor.get(found) as answer:
            assert answer.status_code == 200
