from pathlib import Path

import pytest
from wherry.api.errors import BadRequest
from wherry.api.rates import Rates

from tests.api.house import House, open_house


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_account_that_has_spent_its_hour_is_told_when_to_come_back() -> None:
    clock = Clock()
    rates = Rates(60, clock)
    assert [rates.spend(1) for _ in range(60)] == list(range(59, -1, -1))
    with pytest.raises(BadRequest) as caught:
        rates.spend(1)
    assert (caught.value.status, caught.value.retry_after) == (429, 61)
    assert rates.spend(2) == 59
    clock.now = 61.0
    assert rates.spend(1) == 0


def test_a_full_bucket_holds_an_hour_and_no_more() -> None:
    clock = Clock()
    rates = Rates(60, clock)
    rates.spend(1)
    clock.now = 1e6
    assert rates.spend(1) == 59


def test_answers_tell_what_is_left(house: House) -> None:
    first, second = (int(house.call("GET", "/account").headers["RateLimit-Remaining"]) for _ in range(2))
    assert second in (first - 1, first)  # a drop may have come back meanwhile
    assert house.call("GET", "/account/rate-limits").json["remaining"] > 0


def test_too_many_requests_are_refused_in_herokus_words_and_change_nothing(tmp_path: Path) -> None:
    with open_house(tmp_path, WHERRY_API_PER_HOUR="2") as house:
        house.call("GET", "/account")
        assert house.call("POST", "/apps", {"name": "third-time"}).status == 201
        refused = house.call("DELETE", "/apps/third-time")
        assert (refused.status, refused.json["id"]) == (429, "rate_limit")
        assert int(refused.headers["Retry-After"]) > 60
        assert refused.headers["RateLimit-Remaining"] == "0"
        assert house.call("GET", "/apps/third-time", by="admin").status == 200


def test_a_client_that_has_the_answer_already_is_told_so(house: House) -> None:
    house.create("known-app")
    first = house.call("GET", "/apps/known-app")
    again = house.call("GET", "/apps/known-app", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.raw) == (304, b"")
    house.call("PATCH", "/apps/known-app", {"build_stack": "container"})
    assert house.call("GET", "/apps/known-app", headers={"If-None-Match": first.headers["ETag"]}).status == 200
