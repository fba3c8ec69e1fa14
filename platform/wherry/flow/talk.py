"""The shape of what a pusher reads (Heroku's): steps, details under them, errors."""

from __future__ import annotations

from wherry.domain.errors import WherryError
from wherry.domain.text import printable
from wherry.flow.ports import BuildRequest, Say

MOST_ATTEMPTS = 3
"""Of a build that fails by faults of ours."""


def step(say: Say, text: str) -> None:
    say(f"-----> {text}")


def detail(say: Say, text: str) -> None:
    say(f"       {text}")


def building(say: Say, request: BuildRequest) -> None:
    step(say, f"Building {request.app_name} from {printable(request.source.commit[:7])}")


def again(say: Say, attempt: int) -> None:
    """Before a build begins once more, from nothing."""
    step(say, f"Building again (attempt {attempt} of {MOST_ATTEMPTS})")


def trouble(say: Say, error: WherryError) -> None:
    """The cause first, then the evidence, then the next command."""
    for line in error.lines():
        say(f" !     {line}")
