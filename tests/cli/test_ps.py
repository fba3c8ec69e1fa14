"""What `wherry ps` makes of processes."""

import json

import pytest
from wherry.cli.commands.ps import _aged

from tests.api.house import House
from tests.cli.conftest import Terminal


def dyno(version: int, state: str) -> dict[str, object]:
    return {"name": "web.1", "state": state, "release": {"version": version}}


def test_a_process_of_an_older_release_is_ending_once_a_newer_one_is_up() -> None:
    def states(*dynos: dict[str, object]) -> list[object]:
        return [each["state"] for each in _aged(list(dynos))]

    assert states(dyno(1, "up"), dyno(2, "starting")) == ["up", "starting"]
    assert states(dyno(1, "up"), dyno(2, "up"), dyno(1, "crashed")) == ["ending", "up", "crashed"]
    assert states() == []


def test_a_user_of_heroku_lets_load_decide_and_ends_it(house: House, terminal: Terminal, app: str) -> None:
    house.release(app)
    assert "wherry ps:autoscale:enable web --max 5" in terminal.wherry("ps:autoscale", "-a", app).err
    made = terminal.wherry("ps:autoscale:enable", "web", "--min", "2", "--max", "5", "-a", app)
    assert (made.code, made.err) == (0, f"Enabling autoscaling of web on {app}... done, 2 to 5 by cpu 80%\n")
    assert " (2-5)\n" in terminal.wherry("ps", "-a", app).out
    head, row = terminal.wherry("ps:autoscale", "-a", app).out.splitlines()
    assert (head.split(), row.split()[:3], row[-7:]) == (
        ["Type", "Min", "Max", "Up", "By"],
        ["web", "2", "5"],
        "cpu 80%",
    )
    again = ["--max=9", "--memory=60", "--requests=100", "--json"]
    shown = json.loads(terminal.wherry("ps:autoscale:enable", *again, "-a", app).out)
    assert shown == json.loads(terminal.wherry("ps:autoscale", "--json", "-a", app).out)[0]
    assert [each["type"] for each in shown["autoscaling"]["triggers"]] == ["memory", "requests"]
    refused = terminal.wherry("ps:scale", "web=3", "-a", app)
    assert (refused.code, "wherry ps:autoscale:disable web" in refused.err) == (3, True)
    assert "done, web at " in terminal.wherry("ps:autoscale:disable", "web", "-a", app).err
    assert json.loads(terminal.wherry("ps:autoscale", "--json", "-a", app).out) == []
    assert terminal.wherry("ps:autoscale:disable", "web", "-a", app).code == 4


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--min=9", "--max=5", "--p95=500", "--notifications"], ["--p95: ", "--cpu PERCENT", "webhooks:add", "below"]),
        (["--max=101", "--cpu=0", "--memory=101"], ["max_quantity", "triggers[0]", "triggers[1]"]),
        ([], ["max_quantity"]),
    ],
)
def test_bounds_that_cannot_be_are_refused_with_every_fault(
    terminal: Terminal, app: str, asked: list[str], said: list[str]
) -> None:
    refused = terminal.wherry("ps:autoscale:enable", "web", *asked, "-a", app)
    assert refused.code == 3
    for word in said:
        assert word in refused.err
