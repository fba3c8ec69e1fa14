"""What visitors see when no app answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from wherry.domain.workload import AppRoute, Endpoint
from wherry.routing.pages import FAULTS, fault_of, page
from wherry.routing.process import place_of, prepare

from tests.ports import free_port
from tests.routing.origin import Origin, origins
from tests.routing.rig import Rig, route, status_of


def test_an_unknown_host_gets_404_and_no_list_of_apps(rig: Rig) -> None:
    rig.router.replace([AppRoute(1, ("shop",)), AppRoute(2, ("blog",))])
    answer = rig.visit("nobody")
    assert (answer.status, answer.code) == (404, "no-such-app")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "shop" not in answer.text
    assert "blog" not in answer.text
    assert "nobody" not in answer.text


def test_an_app_without_processes_gets_503_h14(rig: Rig) -> None:
    rig.router.replace([AppRoute(1, ("shop",))])
    answer = rig.visit("shop")
    assert (answer.status, answer.code, answer.headers["x-wherry-code"]) == (503, "H14", "H14")


def test_an_app_in_maintenance_gets_503_h80_until_it_ends(rig: Rig, one: Origin) -> None:
    rig.router.replace([replace(route(1, "shop", 1, one), maintenance=True), AppRoute(2, ("blog",))])
    for method in ("GET", "POST"):
        answer = rig.visit("shop", method=method)
        assert (answer.status, answer.code, answer.headers["x-wherry-code"]) == (503, "H80", "H80")
    assert rig.visit("blog").code == "H14"
    rig.router.amend(1, (), maintenance=False)
    assert rig.visit("shop").text == "one"


def test_a_process_that_refuses_connections_gets_503_h10(rig: Rig) -> None:
    rig.router.replace([AppRoute(1, ("shop",), 1, (Endpoint("127.0.0.1", free_port()),))])
    answer = rig.visit("shop")
    assert (answer.status, answer.code) == (503, "H10")
    assert "wherry logs" in answer.text


@pytest.mark.parametrize(("path", "status", "code"), [("/die", 502, "H13"), ("/garbage", 502, "H17")])
def test_a_process_that_breaks_off_gets_502(rig: Rig, path: str, status: int, code: str) -> None:
    with origins("one") as [one]:
        rig.router.replace([route(1, "shop", 1, one)])
        for method in ("GET", "POST"):
            answer = rig.visit("shop", path, method)
            assert (answer.status, answer.code) == (status, code)


def test_a_silent_app_gets_504_h12_and_a_silent_client_408_h28(own_rig: Rig, one: Origin) -> None:
    """With half a second of patience in place of 55."""
    argv = prepare(own_rig.settings)
    file = place_of(own_rig.settings).bootstrap
    text = file.read_text()
    assert text.count('"stream_idle_timeout": "55s"') == 1
    file.write_text(text.replace('"stream_idle_timeout": "55s"', '"stream_idle_timeout": "0.5s"'))
    own_rig.start(argv)
    own_rig.router.publish(route(1, "shop", 1, one))
    answer = own_rig.visit("shop", "/hold")
    one.open_gate()
    assert (answer.status, answer.code) == (504, "H12")
    reply = own_rig.raw(b"POST /upload HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 5\r\n\r\n")
    assert status_of(reply) == 408
    assert b"<dd>H28</dd>" in reply


def test_a_page_carries_the_request_id_and_a_code_and_both_colour_schemes(rig: Rig) -> None:
    answer = rig.visit("nobody", x_request_id="mine")
    shown = answer.headers["x-request-id"]
    assert len(shown) == 36
    assert shown in answer.text
    assert "mine" not in answer.text
    assert "prefers-color-scheme: dark" in answer.text


def test_head_gets_the_status_without_the_page(rig: Rig) -> None:
    answer = rig.visit("nobody", method="HEAD")
    assert (answer.status, answer.body) == (404, b"")


def test_the_apps_own_error_pages_are_not_touched(rig: Rig, one: Origin) -> None:
    rig.router.replace([route(1, "shop", 1, one)])
    answer = rig.visit("shop", "/status?503")
    assert (answer.status, answer.text) == (503, "one")


def test_every_page_is_small_and_needs_nothing_else() -> None:
    for fault in FAULTS:
        text = page(fault)
        assert len(text) < 2000
        assert "http:" not in text
        assert "src=" not in text
        assert "<script" not in text


@pytest.mark.parametrize(
    ("flags", "status", "code"),
    [
        ("UF,URX", 503, "H10"),
        ("UH", 503, "H14"),
        ("SI", 504, "H12"),
        ("SI", 408, "H28"),
        ("UC", 502, "H13"),
        ("NR", 404, "no-such-app"),
    ],
)
def test_response_flags_tell_the_code(flags: str, status: int, code: str) -> None:
    fault = fault_of(flags, status)
    assert fault is not None
    assert fault.code == code


def test_an_answer_of_the_app_is_no_fault() -> None:
    assert fault_of("-", 503) is None
    assert fault_of("SI", 200) is None
