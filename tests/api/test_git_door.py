"""B88: git over HTTP gives out nothing but git's smart protocol."""

from __future__ import annotations

import gzip
import io

import pytest

from tests.api.house import House

FETCH = "application/x-git-upload-pack-request"


@pytest.fixture(scope="module")
def app(house: House) -> str:
    house.create("git-door")
    return "git-door"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "info/refs", 403),
        ("GET", "info/refs?service=git-evil", 403),
        ("GET", "config", 404),
        ("GET", "HEAD", 404),
        ("GET", "objects/info/packs", 404),
        ("GET", "objects/../config", 404),
        ("GET", "../git-door.git/config", 404),
        ("GET", "git-upload-pack", 405),
        ("POST", "info/refs?service=git-upload-pack", 405),
        ("PUT", "git-receive-pack", 405),
    ],
)
def test_b88_only_the_smart_protocol_is_there(house: House, app: str, method: str, path: str, status: int) -> None:
    answer = house.call(method, f"/{app}.git/{path}")
    assert answer.status == status, answer.text


def test_b88_a_wrong_type_and_a_bomb_are_refused(house: House, app: str) -> None:
    path = f"/{app}.git/git-upload-pack"
    assert house.call("POST", path, raw=b"0000", headers={"Content-Type": "text/plain"}).status == 415
    bomb = io.BytesIO()
    with gzip.GzipFile(fileobj=bomb, mode="wb") as packed:
        for _ in range(64):
            packed.write(b"0" * (1 << 20))
    headers = {"Content-Type": FETCH, "Content-Encoding": "gzip"}
    answer = house.call("POST", path, raw=bomb.getvalue(), headers=headers)
    assert b"PACK" not in answer.raw


def test_errors_are_plain_text_that_git_shows_its_user(house: House) -> None:
    answer = house.call("GET", "/not-there.git/info/refs?service=git-upload-pack")
    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "no app 'not-there'" in answer.text
