"""Parts of lists, cut by the database: a page costs what it shows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Select

from wherry.domain.paging import Window


def windowed(query: Select[Any], number: Column[Any], window: Window) -> Select[Any]:
    """`number`: the column that the window speaks of."""
    down = window.descending
    if window.start is not None:
        start = window.start
        if window.after:
            query = query.where(number < start if down else number > start)
        else:
            query = query.where(number <= start if down else number >= start)
    if window.end is not None:
        query = query.where(number >= window.end if down else number <= window.end)
    return query.order_by(number.desc() if down else number).limit(window.most)
