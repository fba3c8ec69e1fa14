"""What may stand in a request: tokens, bodies, methods."""

from __future__ import annotations

import base64
import gzip
import json
import socket

import pytest

from tests.api.house import Answer, House


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_bearer_and_basic_know_the_same_token(house: House) -> None:
    token = house.token("owner")
    for header in (f"Bearer {token}", f"bearer {token}", basic("", token), basic("anyone@at.all", token)):
        answer = house.call("GET", "/account", by=None, headers={"Authorization": header})
        assert answer.json["email"] == "owner@example.org", header


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer " + "x" * 7000,
        "Bearer t\xf6ken",
        "Basic not-base64!",
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
        basic("owner", ""),
        basic("no colon".replace(" ", ""), "wrong"),
        "Digest abc",
    ],
)
def test_b50_whatever_is_no_known_token_gets_the_same_401(house: House, header: str) -> None:
    answer = house.call("GET", "/account", by=None, headers={"Authorization": header})
    anonymous = house.call("GET", "/account", by=None)
    assert answer.status == anonymous.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Wherry"'
    first, second = answer.json, anonymous.json
    assert first.pop("request_id") != second.pop("request_id")
    assert first == second
    assert first["id"] == "unauthorized"


def test_b50_two_authorization_headers_are_a_400(house: House) -> None:
    token = house.token("owner")
    request = f"GET /account HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer b\r\n\r\n"
    with socket.create_connection(("localhost", house.port)) as connection:
        connection.sendall(request.encode())
        assert connection.recv(100).split(b" ")[1] == b"400"


@pytest.mark.parametrize("name", ["access_token", "token", "api_key"])
def test_b50_a_token_in_the_url_is_refused_even_beside_a_good_one(house: House, name: str) -> None:
    answer = house.call("GET", f"/account?{name}={house.token('owner')}")
    assert (answer.status, answer.json["id"]) == (400, "bad_request")
    assert house.token("owner") not in answer.text


def test_t28_a_cookie_is_no_token(house: House) -> None:
    token = house.token("owner")
    answer = house.call("GET", "/account", by=None, headers={"Cookie": f"session={token}; token={token}"})
    assert answer.status == 401


def post(house: House, raw: bytes, content_type: str | None = "application/json", **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return house.call("POST", "/apps", raw=raw, headers={"Content-Type": content_type or "", **sent})


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"{", 400),
        (b"nonsense", 400),
        (b"\xff\xfe{}", 400),
        (b'{"name": "one-name", "name": "other-name"}', 400),
        (b'{"name": NaN}', 400),
        (b'{"name": "\\ud800"}', 400),
        (b"[" * 100_000, 400),
        (b'{"name": ' + b"9" * 5000 + b"}", 400),
        (b"[]", 422),
        (b'"name"', 422),
        (b"null", 422),
        (b'{"nmae": "a-typo"}', 422),
        (b'{"name": 3}', 422),
        (b'{"name": ""}', 422),
        (b'{"name": "app\\n"}', 422),
        (b'{"name": "app\\u0000"}', 422),
        (b'{"name": "admin"}', 409),
        (b'{"name": "fine-one", "region": "mars"}', 422),
        (b'{"name": "fine-one", "space": "mine"}', 422),
    ],
)
def test_b10_b56_a_body_that_is_not_right_is_told_so_and_never_a_500(house: House, raw: bytes, status: int) -> None:
    answer = post(house, raw)
    assert answer.status == status, answer.text
    assert {"id", "message", "request_id"} <= set(answer.json)


def test_b56_a_body_over_1_mib_is_a_413_with_and_without_its_length(house: House) -> None:
    large = b'{"name": "' + b"a" * (1 << 20) + b'"}'
    assert post(house, large).status == 413


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/json; charset=utf-16", "multipart/form-data; boundary=x"]
)
def test_b55_a_body_of_another_type_is_a_415(house: House, content_type: str | None) -> None:
    answer = post(house, b'{"name": "typed-app"}', content_type)
    assert (answer.status, answer.json["id"]) == (415, "unsupported_media_type")


def test_b55_an_encoded_body_is_a_415(house: House) -> None:
    assert post(house, gzip.compress(b"{}"), Content_Encoding="gzip").status == 415


def test_no_body_at_all_is_an_empty_object(house: House) -> None:
    answer = house.call("POST", "/apps")
    assert answer.status == 201
    assert answer.json["name"].count("-") == 2


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "PROPFIND", "DELETE"])
def test_b54_another_method_is_a_405_that_says_which(house: House, method: str) -> None:
    answer = house.call(method, "/apps")
    assert (answer.status, answer.json["id"]) == (405, "method_not_allowed")
    assert sorted(answer.headers["Allow"].split(", ")) == ["GET", "HEAD", "POST"]


def test_b54_head_is_get_without_its_body_and_an_override_is_not_heard(house: House) -> None:
    head = house.call("HEAD", "/apps")
    assert (head.status, head.raw) == (200, b"")
    house.create("not-overridden")
    assert house.call("GET", "/apps/not-overridden", headers={"X-HTTP-Method-Override": "DELETE"}).status == 200
    assert house.call("GET", "/apps/not-overridden").status == 200


@pytest.mark.parametrize("accept", ["image/png", "*/*;q=0", "a/b" + ",c/d" * 1500])
def test_b57_the_answer_is_json_whatever_is_accepted(house: House, accept: str) -> None:
    answer = house.call("GET", "/account", headers={"Accept": accept})
    assert answer.status == 200
    assert json.loads(answer.raw)


@pytest.mark.parametrize("path", ["/apps/", "/apps/../account", "/apps/%2e%2e/account", "/apps/a%2fb", "/apps/%00"])
def test_b74_odd_paths_are_missing_not_confused(house: House, path: str) -> None:
    assert house.call("GET", path).status == 404
