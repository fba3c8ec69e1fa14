"""A platform of another version than this command: said before it matters, and instead of a bare 404 when it does."""

from __future__ import annotations

from wherry import __version__
from wherry.cli import show
from wherry.cli.errors import Answered
from wherry.domain.text import printable
from wherry.domain.versions import apart, order


def warn(theirs: str, url: str) -> None:
    """On stderr, when the two may misunderstand each other."""
    if sign := apart(theirs, __version__):
        show.warn(f"T{_which(sign, theirs, url)[1:]}. Some commands may fail.")


def unknown_endpoint(theirs: str, url: str, method: str, path: str) -> Answered | None:
    """The error for an endpoint that the platform has not, when its version is why."""
    sign = order(theirs, __version__)
    if not sign:
        return None
    mend = "Update the platform" if sign < 0 else "Update this command"
    return Answered(
        "other_version",
        _which(sign, theirs, url),
        [f"It does not know {method} {path}"],
        f"{mend}; or use the command on the platform's own machine, which has its version",
        "",
    )


def _which(sign: int, theirs: str, url: str) -> str:
    word = "older" if sign < 0 else "newer"
    return f"the platform is {word} than this CLI: {url} has {printable(theirs, 40)}, this is {__version__}"
