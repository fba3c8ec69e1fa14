"""What is no HTTP is reached where the settings say, else where the client reached the API."""

from __future__ import annotations

import pytest
from wherry.api import shapes_processes
from wherry.api.ids import Ids
from wherry.api.shapes import Shapes
from wherry.api.tickets import Tickets
from wherry.domain.secret import Secret
from wherry.settings import Settings


@pytest.mark.parametrize(
    ("given", "host"),
    [("", "api.example.com"), ("doors.example.com", "doors.example.com"), ("fd00::1", "[fd00::1]")],
)
def test_the_terminal_is_where_the_settings_say(given: str, host: str) -> None:
    settings = Settings.load({"WHERRY_DOORS_HOST": given, "WHERRY_TERMINAL_PORT": "9303"})
    shapes = Shapes(settings, Ids(Secret("k")), Tickets(Secret("k")), "https://api.example.com")
    shown = shapes_processes.attached(shapes, {}, Secret("word"), "ab")
    assert shown["attach_url"] == f"rendezvous://{host}:9303/word"
