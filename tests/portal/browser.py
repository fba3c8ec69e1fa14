"""A real Chromium before a real server, for what only a browser can show."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server
from wherry.domain.model import Actor

from tests.portal.harbour import Harbour

expect.set_options(timeout=30_000)
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=ARGS)
        yield browser
        browser.close()


class Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None: ...


@contextmanager
def served(harbour: Harbour) -> Iterator[str]:
    """The pages' address while they are served."""
    server = make_server("127.0.0.1", 0, harbour.pages(), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def entered(context: BrowserContext, harbour: Harbour, address: str, actor: Actor) -> Page:
    """A page that has logged in as `actor` through the link."""
    page = context.new_page()
    page.goto(f"{address}/login?token={harbour.link(actor)}")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/dashboard")
    return page
