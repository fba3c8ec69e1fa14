"""Public keys in the API: what is taken, what is refused, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.house import House, open_house
from tests.ssh.conftest import new_key


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


def public(folder: Path, *options: str) -> str:
    return new_key(folder, *options).with_suffix(".pub").read_text()


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_key_is_added_listed_and_removed(house: House, tmp_path: Path, kind: str) -> None:
    text = public(tmp_path, "-t", kind)
    made = house.call("POST", "/account/keys", {"public_key": text})
    assert made.status == 201, made.text
    assert made.json["public_key"] == text.strip()
    assert (made.json["comment"], made.json["email"]) == ("me@laptop", "owner@example.org")
    assert made.json["fingerprint"].startswith("SHA256:")
    assert house.call("GET", "/account/keys").json == [made.json]
    assert house.call("GET", f"/account/keys/{made.json['id']}").json == made.json
    assert house.call("GET", "/account/keys", by="other").json == []
    assert house.call("DELETE", f"/account/keys/{made.json['id']}", by="other").status == 404
    assert house.call("DELETE", "/account/keys/me@laptop").status == 200
    assert house.call("GET", "/account/keys").json == []


def test_b87_a_key_is_one_users(house: House, tmp_path: Path) -> None:
    text = public(tmp_path)
    assert house.call("POST", "/account/keys", {"public_key": text}).status == 201
    for by in ("owner", "other"):
        again = house.call("POST", "/account/keys", {"public_key": text.replace("me@laptop", "x")}, by=by)
        assert (again.status, again.json["message"]) == (409, "this key is in use already")


def test_b87_bad_keys_are_refused(house: House, tmp_path: Path) -> None:
    good = public(tmp_path).strip()
    kind, body, _ = good.split(" ")
    private = new_key(tmp_path).read_text()
    weak = public(tmp_path, "-t", "rsa", "-b", "1024")
    for text, word in (
        ("", "one line"),
        ("x" * (1 << 20 - 1), "16 KiB"),
        (f'command="id" {good}', "one line"),
        (f"restrict {good}", "one line"),
        (f"{good}\n{good}", "one line"),
        (f"{kind} {body}\n command", "one line"),
        (f"{kind} {body} a\nb", "one line"),
        (private, "private key"),
        (weak, "2048 bits"),
        ("ssh-dss AAAAB3NzaC1kc3MAAACBAP", "too weak"),
        (f"ssh-rsa {body}", "not of the type"),
        (f"{kind} {body[:-8]}", "cut off"),
        (f"{kind} {body[:30]}!", "one line"),
        (f"{kind} AAAA", "cut off"),
        (f"ssh-ed448 {body}", "one line"),
        (f"{kind}\0{body}", "one line"),
    ):
        refused = house.call("POST", "/account/keys", {"public_key": text})
        assert (refused.status, refused.json["id"]) == (422, "invalid_params"), text[:80]
        assert word in refused.text, text[:80]
    assert house.call("POST", "/account/keys", {"public_key": 1}).status == 422
    assert all(each["public_key"] != good for each in house.call("GET", "/account/keys").json)


def test_a_comment_is_shown_safely_and_reaches_no_other_program(house: House, tmp_path: Path) -> None:
    kind, body, _ = public(tmp_path).strip().split(" ")
    made = house.call("POST", "/account/keys", {"public_key": f'{kind} {body} "; id \x1b[2J {"x" * 500}'}).json
    assert "\x1b" not in made["comment"]
    assert len(made["comment"]) <= 201
    assert house.call("DELETE", f"/account/keys/{made['id']}").status == 200
