"""Heroku's paging: `Range: version ]v3..v9; max=15, order=desc` asks, Content-Range and Next-Range answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from flask import Response, jsonify

from wherry.api.errors import BadRequest
from wherry.domain.text import printable

MOST = 1000
USUAL = 200
LONGEST = 300

_RANGE = re.compile(r"([a-z_]+)(?: +(\]?)([^;]*?)\.\.([^;]*?))? *(?:;(.*))?")


class _Comparable(Protocol):
    def __lt__(self, other: object, /) -> bool: ...


T = TypeVar("T")
Key = Callable[[T], object]


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


@dataclass(frozen=True)
class Pager(Generic[T]):
    """Pages lists of one kind of object. `keys`: each field's sortable value of an object, the usual field first;
    `read` turns a field's text in the header into such a value (ValueError: it is none); `show` is the way back.
    """

    keys: Mapping[str, Key[T]]
    read: Callable[[str, str], object] = lambda field, text: text
    show: Callable[[str, object], str] = lambda field, value: str(value)

    def answer(self, header: str | None, items: Sequence[T], shape: Callable[[T], object]) -> Response:
        return self.answer_all(header, items, lambda page: [shape(item) for item in page])

    def answer_all(
        self, header: str | None, items: Sequence[T], shapes: Callable[[Sequence[T]], Sequence[object]]
    ) -> Response:
        """`shapes`: of one page, so that what they need can be read at once."""
        asked = parse(header, list(self.keys))
        chosen = self._chosen(asked, items, header or "")
        page, more = chosen[: asked.most], len(chosen) > asked.most
        response = jsonify(shapes(page))
        response.headers["Accept-Ranges"] = ", ".join(self.keys)
        if page:
            first, last = self._text(asked, page[0]), self._text(asked, page[-1])
            response.headers["Content-Range"] = f"{asked.field} {first}..{last}; max={asked.most}" + (
                ", order=desc" if asked.descending else ""
            )
            if more:
                response.status_code = 206
                response.headers["Next-Range"] = str(replace(asked, start=last, after=True))
        return response

    def _chosen(self, asked: Range, items: Sequence[T], header: str) -> list[T]:
        key: Callable[[T], _Comparable] = self.keys[asked.field]  # type: ignore[assignment]
        try:
            start, end = self._bound(asked, asked.start), self._bound(asked, asked.end)
        except ValueError:
            raise bad_range(header, list(self.keys)) from None
        chosen = sorted(items, key=key, reverse=asked.descending)
        if start is not None:
            chosen = [item for item in chosen if _reached(key(item), start, asked.descending, not asked.after)]
        if end is not None:
            chosen = [item for item in chosen if _reached(end, key(item), asked.descending, inclusive=True)]
        return chosen

    def _bound(self, asked: Range, text: str) -> _Comparable | None:
        return self.read(asked.field, text) if text else None  # type: ignore[return-value]

    def _text(self, asked: Range, item: T) -> str:
        return self.show(asked.field, self.keys[asked.field](item))


def _reached(value: _Comparable, bound: _Comparable, descending: bool, inclusive: bool) -> bool:
    if value == bound:
        return inclusive
    return value < bound if descending else bound < value


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
