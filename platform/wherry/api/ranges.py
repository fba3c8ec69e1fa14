"""Heroku's paging: `Range: version ]v3..v9; max=15, order=desc` asks. (windows.py answers.)"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wherry.api.errors import BadRequest
from wherry.domain.text import printable

MOST = 1000
USUAL = 200
LONGEST = 300

_RANGE = re.compile(r"([a-z_]+)(?: +(\]?)([^;]*?)\.\.([^;]*?))? *(?:;(.*))?")


@dataclass(frozen=True)
class Range:
    field: str
    start: str = ""
    after: bool = False
    end: str = ""
    most: int = USUAL
    descending: bool = False

    def __str__(self) -> str:
        order = ", order=desc" if self.descending else ""
        return f"{self.field} {']' if self.after else ''}{self.start}..{self.end}; max={self.most}{order}"


def parse(header: str | None, fields: Sequence[str]) -> Range:
    """The first of `fields` is the usual one. Ranges in units of HTTP (`bytes=0-`) are not ours, so they ask nothing.

    Raises BadRequest (416).
    """
    usual = Range(fields[0])
    if not header or "=" in header.partition(" ")[0]:
        return usual
    match = _RANGE.fullmatch(header.strip()) if len(header) <= LONGEST else None
    if not match or match[1] not in fields:
        raise bad_range(header, fields)
    asked = Range(match[1], match[3] or "", bool(match[2]), match[4] or "")
    for option in filter(None, (part.strip() for part in re.split("[,;]", match[5] or ""))):
        asked = _with(asked, option, header, fields)
    return asked


def _with(asked: Range, option: str, header: str, fields: Sequence[str]) -> Range:
    name, _, value = (part.strip() for part in option.partition("="))
    if name == "order" and value in ("asc", "desc"):
        return replace(asked, descending=value == "desc")
    if name == "max" and re.fullmatch("[0-9]{1,6}", value) and int(value) >= 1:
        return replace(asked, most=min(int(value), MOST))
    raise bad_range(header, fields)


def bad_range(header: str, fields: Sequence[str]) -> BadRequest:
    return BadRequest(
        f"the range '{printable(header, 100)}' cannot be read",
        status=416,
        hint=f"For example: Range: {fields[0]} ..; max=15, order=desc (fields: {', '.join(fields)}; max up to {MOST})",
    )
