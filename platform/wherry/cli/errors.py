"""Failures of the client's own making, and the server's answers as errors. All are the domain's, so one catch shows
them."""

from __future__ import annotations

from collections.abc import Sequence

from wherry.cli import exits
from wherry.domain.errors import WherryError
from wherry.domain.text import printable


class Unreachable(WherryError):
    """Nobody answered where the platform should be, or the connection broke."""

    id = "unreachable"


class Usage(WherryError):
    """The command line does not say enough, or says it wrongly."""

    id = "usage"

    def __init__(self, message: str, hint: str = "", evidence: Sequence[str] = ()) -> None:
        super().__init__(message, evidence=evidence, hint=hint)


class Answered(WherryError):
    """An error that the API answered: its id, and its text made safe for a terminal."""

    def __init__(self, error_id: str, message: str, problems: list[str], hint: str, request_id: str) -> None:
        shown = [printable(problem, 500) for problem in problems]
        if error_id == "internal_server_error" and request_id:
            shown.append(f"request {printable(request_id, 60)}")
        super().__init__(printable(message, 1000), evidence=shown, hint=printable(hint, 500))
        self.error_id = error_id


def code_of(error: WherryError) -> int:
    if isinstance(error, Usage):
        return exits.USAGE
    return exits.of(error.error_id if isinstance(error, Answered) else error.id)
