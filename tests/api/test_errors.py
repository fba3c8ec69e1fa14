from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask, g
from wherry.api import errors as api_errors
from wherry.domain import errors
from wherry.domain.errors import BuildFailure, RolloutFailure, WherryError

from tests.api.house import House


def kinds(base: type[WherryError] = WherryError) -> Iterator[type[WherryError]]:
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from kinds(kind)


def made(kind: type[WherryError]) -> WherryError:
    first = {errors.BuildFailed: BuildFailure.BAD_SOURCE, errors.RolloutFailed: RolloutFailure.EXITED}
    return kind(first[kind], "it failed") if kind in first else kind("it failed", hint="do this")  # type: ignore


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_every_kind_of_the_domain_has_one_status_and_its_own_id(kind: type[WherryError]) -> None:
    with Flask("test").test_request_context("/apps"):
        g.request_id = "r"
        response = api_errors.known(made(kind))
    assert response.status_code == api_errors.STATUS[kind]
    assert 400 <= response.status_code < 600
    assert response.status_code != 500
    body = response.get_json()
    assert (body["id"], body["message"], body["request_id"]) == (kind.id, "it failed", "r")


def test_heroku_s_clients_show_the_message_alone_and_so_it_tells_them_all(house: House) -> None:
    house.create("told-in-full")
    path, wrong = "/apps/told-in-full/config-vars", {"PORT": "1", "1BAD": "2"}
    ours = house.call("PATCH", path, wrong).json
    theirs = house.call("PATCH", path, wrong, headers={"Accept": "application/vnd.heroku+json; version=3.sdk"}).json
    assert ours["problems"]
    assert theirs["message"].split("\n") == [ours["message"], *ours["problems"], *filter(None, [ours.get("hint")])]
    assert {**theirs, "message": "", "request_id": ""} == {**ours, "message": "", "request_id": ""}


def test_the_table_has_no_row_that_no_kind_needs() -> None:
    assert set(api_errors.STATUS) == set(kinds())


def test_an_unknown_path_says_that_we_do_not_have_it(house: House) -> None:
    answer = house.call("GET", "/apps/x/spaces")
    assert answer.status == 404
    assert answer.json["id"] == "not_found"
    assert "/apps/x/spaces" in answer.json["message"]
    assert answer.headers["Request-Id"] == answer.json["request_id"]


def test_what_nobody_foresaw_is_a_500_without_its_traceback(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **options: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("wherry.flow.access.Access.page", broken)
    answer = house.call("GET", "/apps")
    assert answer.status == 500
    assert answer.json["id"] == "internal_server_error"
    assert "secret detail" not in answer.text
    assert answer.json["request_id"] in caplog.text
    assert "secret detail" in caplog.text


def test_a_fault_of_ours_is_a_503_that_says_when_to_try_again(house: House) -> None:
    name = "faulty-runtime"
    house.create(name)
    house.runtime.fault = errors.PlatformFault("the engine does not answer")
    try:
        answer = house.call("GET", f"/apps/{name}/dynos")
    finally:
        house.runtime.fault = None
    assert (answer.status, answer.json["id"]) == (503, "platform_fault")
    assert answer.headers["Retry-After"] == "5"


def test_every_answer_has_its_security_headers_and_its_id(house: House) -> None:
    for answer in (house.call("GET", "/apps"), house.call("GET", "/nowhere"), house.call("GET", "/apps", by=None)):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert len(answer.headers["Request-Id"]) == 36


def test_pages_of_the_portal_are_left_to_it(house: House) -> None:
    assert house.call("GET", "/dashboard", by=None).text == "the dashboard"
    home = house.call("GET", "/", by=None)
    assert (home.status, home.headers["Location"]) == (302, "/dashboard")
    assert house.call("GET", "/dashboards", by=None).json["id"] == "not_found"
