"""Heroku's paging for lists that the ledger cuts: no more is read than is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from flask import Response, jsonify

from wherry.api.ranges import Range, bad_range, parse
from wherry.domain.paging import Window

T = TypeVar("T")


@dataclass(frozen=True)
class Field(Generic[T]):
    """A field of the Range header that rises with what the ledger pages by. `read`: its text as that (ValueError: it is
    none); `show`: its text for one object.
    """

    read: Callable[[str], int | str]
    show: Callable[[T], str]


@dataclass(frozen=True)
class Windows(Generic[T]):
    """`fields`: the usual one first."""

    fields: Mapping[str, Field[T]]

    def answer(
        self,
        header: str | None,
        fetch: Callable[[str, Window], Sequence[T]],
        shapes: Callable[[Sequence[T]], Sequence[object]],
    ) -> Response:
        """`fetch`: the field's objects in a window. `shapes`: of one page. Raises BadRequest (416)."""
        asked = parse(header, list(self.fields))
        found = fetch(asked.field, self._window(asked, header or ""))
        page, more = found[: asked.most], len(found) > asked.most
        response = jsonify(shapes(page))
        response.headers["Accept-Ranges"] = ", ".join(self.fields)
        if page:
            show = self.fields[asked.field].show
            whole = replace(asked, start=show(page[0]), end=show(page[-1]), after=False)
            response.headers["Content-Range"] = str(whole)
            if more:
                response.status_code = 206
                response.headers["Next-Range"] = str(replace(asked, start=show(page[-1]), after=True))
        return response

    def _window(self, asked: Range, header: str) -> Window:
        """One row more than is asked for tells whether there is a next page."""
        read = self.fields[asked.field].read
        try:
            start = read(asked.start) if asked.start else None
            end = read(asked.end) if asked.end else None
        except ValueError:
            raise bad_range(header, list(self.fields)) from None
        return Window(start, end, asked.after, asked.most + 1, asked.descending)
