"""What `wherry ps` makes of processes."""

from wherry.cli.commands.ps import _aged


def dyno(version: int, state: str) -> dict[str, object]:
    return {"name": "web.1", "state": state, "release": {"version": version}}


def test_a_process_of_an_older_release_is_ending_once_a_newer_one_is_up() -> None:
    def states(*dynos: dict[str, object]) -> list[object]:
        return [each["state"] for each in _aged(list(dynos))]

    assert states(dyno(1, "up"), dyno(2, "starting")) == ["up", "starting"]
    assert states(dyno(1, "up"), dyno(2, "up"), dyno(1, "crashed")) == ["ending", "up", "crashed"]
    assert states() == []
