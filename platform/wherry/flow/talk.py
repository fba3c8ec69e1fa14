"""The shape of what a pusher reads (Heroku's): steps, details under them, errors."""

from __future__ import annotations

from wherry.domain.errors import WherryError
from wherry.domain.text import printable
from wherry.flow.faults import MOST_ATTEMPTS
from wherry.flow.ports import BuildRequest, Say


def step(say: Say, text: str) -> None:
    say(f"-----> {text}")


def detail(say: Say, text: str) -> None:
    say(f"       {text}")


def building(say: Say, request: BuildRequest) -> None:
    step(say, f"Building {request.app_name} from {printable(request.source.commit[:7])}")


def again(say: Say, faults: int) -> None:
    """Before a build begins once more, from nothing: after so many faults of ours, or because its worker ended."""
    step(say, f"Building again (attempt {faults + 1} of {MOST_ATTEMPTS})" if faults else "Building again")


def trouble(say: Say, error: WherryError) -> None:
    """The cause first, then the evidence, then the next command."""
    for line in error.lines():
        say(f" !     {line}")
