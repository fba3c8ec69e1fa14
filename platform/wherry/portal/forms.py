"""A form that was refused comes back as it was filled in, with the refusal beside it in the words of the flow."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import flash, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import Conflict, InvalidInput, NotFound, WherryError
from wherry.domain.text import printable
from wherry.portal.faults import STATUS

TOLD = (InvalidInput, Conflict, NotFound)
"""What the user can mend in the form. All else is a page of its own."""

Answer = AnyResponse | str | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Refused:
    """`form`: which one of the page's; `fields`: what was typed."""

    form: str
    error: WherryError
    fields: MultiDict[str, str] = field(default_factory=MultiDict)

    def about(self, key: str) -> list[str]:
        """What the error says of one field, when it begins with its name: "web: 101 is not between 0 and 100"."""
        return [each.removeprefix(f"{key}: ") for each in self.error.evidence if each.startswith(f"{key}: ")]


def answered(form: str, act: Callable[[], Answer], page: Callable[[Refused], str]) -> Answer:
    """What `act` answers; when it is refused, the page again."""
    try:
        return act()
    except TOLD as error:
        return page(Refused(form, error, request.form)), STATUS[type(error)][0]


def done(said: str, endpoint: str, **values: object) -> AnyResponse:
    """Says what was done on the page that it leads to, so that a reload does nothing twice."""
    flash(said)
    return redirect(url_for(f"portal.{endpoint}", **values), 303)  # type: ignore[arg-type]


def typed(name: str) -> str:
    """One field of the form; lines end as in Unix, since browsers send CR LF for each end of a line."""
    return request.form.get(name, "").replace("\r\n", "\n")


def queried(name: str) -> int | None:
    """A number of the query; None where it is absent. Raises NotFound: links of ours have a number there, or nothing."""
    text = request.args.get(name, "").strip().removeprefix("v")
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,9}", text):
        raise NotFound(f"there is nothing at {name}={printable(text, 40)}")
    return int(text)
